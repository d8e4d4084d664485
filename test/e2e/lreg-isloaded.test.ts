import { describe, expect, it } from 'vitest';
import { NEWER, newScene } from './testing/scene.ts';

describe('images lreg_isloaded, lreg_missingimages', () => {
  it('answers by exit status alone', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    await world.must(['lreg_cache', at('library/alpine:1')]);
    const ask = async (name: string) => {
      const { status, stdout, stderr } = await world.images(['lreg_isloaded', name]);
      expect(stdout + stderr).toBe('');
      return status;
    };
    for (const name of [at('library/alpine:1'), 'alpine:1', 'library/alpine:1', '"alpine:1"', "'alpine:1'"]) {
      expect(await ask(name), name).toBe(0);
    }
    for (const name of ['alpine', 'alpine:2', 'x/alpine:1', 'docker.io/library/alpine:1', 'quay.io/library/alpine:1']) {
      expect(await ask(name), name).toBe(1);
    }
  });

  it('counts a tag whose host is not recorded', async () => {
    await using scene = await newScene();
    const { world } = scene;
    const { pushImage } = await import('../fixtures/image.ts');
    const { base } = await world.startRegistry();
    await pushImage(base, 'team/own:1', NEWER);
    for (const name of ['team/own:1', 'quay.io/team/own:1']) {
      expect((await world.images(['lreg_isloaded', name])).status, name).toBe(0);
    }
  });

  it('recognises the registry’s own address in a name', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    const { host, port } = await world.startRegistry();
    await world.must(['lreg_cache', at('library/alpine:1')]);
    for (const env of [{}, { LOCAL_REGISTRY: host, XDG_DATA_HOME: `${world.path}/other` }]) {
      const ask = async (name: string) => (await world.images(['lreg_isloaded', name], { env })).status;
      for (const own of [host, `localhost:${port}`]) expect(await ask(`${own}/alpine:1`), own).toBe(0);
      expect(await ask('127.0.0.1:1/alpine:1')).toBe(1);
    }
    expect(await world.must(['lreg_inspect', `${host}/library/alpine:1`])).toContain('"Architecture"');
    await world.must(['lreg_rm', `${host}/library/alpine:1`]);
    expect(await world.must(['lreg_ls'])).toBe('');
  });

  it('gives the same answers for a registry over HTTP', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    const { host } = await world.startRegistry();
    await world.must(['lreg_cache', at('library/alpine:1')]);
    const elsewhere = { env: { LOCAL_REGISTRY: host, XDG_DATA_HOME: `${world.path}/other` } };
    const ask = async (name: string) => (await world.images(['lreg_isloaded', name], elsewhere)).status;
    expect(await ask(at('library/alpine:1'))).toBe(0);
    expect(await ask('alpine:1')).toBe(0);
    expect(await ask('quay.io/library/alpine:1')).toBe(1);
    expect(await ask('alpine:2')).toBe(1);
  });

  it('says what to do if there is no registry, or it does not answer', async () => {
    await using scene = await newScene();
    const { world } = scene;
    expect(await world.images(['lreg_isloaded', 'alpine'])).toEqual({
      status: 1,
      stdout: '',
      stderr: 'ERROR: no private registry\nRun `images lreg_start` or set LOCAL_REGISTRY.\n',
    });
    const wrong = await world.images(['lreg_isloaded', 'alpine'], { env: { LOCAL_REGISTRY: 'a:b:c' } });
    expect(wrong.stderr).toMatch(/^ERROR: LOCAL_REGISTRY is not the address of a registry \[a:b:c\]\n/);
    expect((await world.images(['lreg_isloaded', 'Not/Valid'])).stderr).toMatch(/^ERROR: not an image reference/);
  });

  it('lists full names of images that overlays miss, the pause image first; status 1 if there are any', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    await world.must(['lreg_cache', at('library/alpine:1')]);
    const overlay = await scene.overlay('one', [at('library/alpine:1'), 'busybox', 'quay.io/x/y:2']);
    const missing = await world.images(['lreg_missingimages', '--pause=registry.k8s.io/pause:3.9', overlay]);
    expect(missing).toMatchObject({
      status: 1,
      stdout: 'registry.k8s.io/pause:3.9\ndocker.io/library/busybox:latest\nquay.io/x/y:2\n',
    });
    const there = await scene.overlay('two', [at('library/alpine:1')]);
    expect(await world.images(['lreg_missingimages', `--pause=${at('library/alpine:1')}`, there])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect(JSON.parse((await world.images(['lreg_missingimages', '--json', overlay])).stdout)).toHaveLength(2);
  });
});
