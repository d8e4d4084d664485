import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pushImage } from '../fixtures/image.ts';
import { newWorld } from '../peers/program.ts';
import { ALPINE, AMD, ARM, MANY, NEWER, newScene, TOOL } from './testing/scene.ts';

describe('images lreg_ls, lreg_inspect, lreg_rm', () => {
  it('lists names without hosts, or with --hosts; docker_lsreg is the same', async () => {
    await using scene = await newScene();
    const { world, at, upstream } = scene;
    upstream.addImage('library/alpine:0.9', NEWER);
    await world.must(['lreg_cache', at('team/tool:v1'), at('library/alpine:1'), at('library/alpine:0.9')]);
    const text = 'library/alpine:\n  ["0.9","1"]\nteam/tool:\n  ["v1"]\n';
    expect(await world.images(['lreg_ls'])).toEqual({ status: 0, stdout: text, stderr: '' });
    expect(await world.must(['docker_lsreg'])).toBe(text);
    expect(await world.must(['lreg_ls', '--hosts'])).toBe(
      `${at('library/alpine')}:\n  ["0.9","1"]\n${at('team/tool')}:\n  ["v1"]\n`,
    );
    expect(JSON.parse(await world.must(['lreg_ls', '--json']))).toEqual([
      { name: 'library/alpine', tags: ['0.9', '1'] },
      { name: 'team/tool', tags: ['v1'] },
    ]);
  });

  it('keeps images of two hosts with one path apart', async () => {
    await using scene = await newScene();
    const { world, upstream, at } = scene;
    await world.mirror({ 'quay.io': `${upstream.host}/quay` });
    upstream.addImage('quay/team/tool:v1', NEWER);
    await world.must(['lreg_cache', at('team/tool:v1')]);
    await world.must(['lreg_cache', 'quay.io/team/tool:v1']);
    const digestOf = async (name: string) => JSON.parse(await world.must(['lreg_inspect', name])).Digest;
    expect(await digestOf(at('team/tool:v1'))).toBe(TOOL.manifest.digest);
    expect(await digestOf('quay.io/team/tool:v1')).toBe(NEWER.manifest.digest);
    expect(await digestOf('team/tool:v1')).toBe(NEWER.manifest.digest);
    await world.must(['lreg_rm', 'quay.io/team/tool:v1']);
    expect(await world.must(['lreg_ls', '--hosts'])).toBe(`${at('team/tool')}:\n  ["v1"]\n`);
    expect(await digestOf('team/tool:v1')).toBe(TOOL.manifest.digest);
  });

  it('inspects an index by the platform that is here, and prints what is stored byte for byte', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    await world.must(['lreg_cache', '--platform=linux/arm64', at('team/many:1')]);
    const { Digest, Architecture, Layers, LayersData } = JSON.parse(await world.must(['lreg_inspect', 'team/many:1']));
    expect({ Digest, Architecture }).toEqual({ Digest: MANY.manifest.digest, Architecture: 'arm64' });
    expect(Layers).toEqual([ARM.blobs[1]?.digest]);
    expect(LayersData[0].Size).toBe(ARM.blobs[1]?.bytes.length);
    expect(await world.must(['lreg_inspect', '--raw', 'team/many:1'])).toBe(
      Buffer.from(MANY.manifest.bytes).toString(),
    );
    const absent = await world.images(['lreg_inspect', '--platform=linux/amd64', 'team/many:1']);
    expect(absent).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('lreg_cache --platform') });
    await world.must(['lreg_cache', '--platform=all', at('team/many:1')]);
    const config = await world.must(['lreg_inspect', '--config', '--platform=linux/amd64', 'team/many:1']);
    expect(config).toBe(Buffer.from(AMD.blobs[0]?.bytes ?? []).toString());
  });

  it('removes with the last name of an image everything that belongs to it', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    await world.must(['lreg_cache', '--platform=all', at('team/many:1'), at('team/tool:v1')]);
    await world.must(['lreg_rm', at('team/many:1'), 'team/tool:v1']);
    expect(await world.must(['lreg_ls'])).toBe('');
    await world.must(['lreg_cache', at('team/many:1')]);
    expect(await world.must(['lreg_ls'])).toBe('team/many:\n  ["1"]\n');
  });

  it('removes former states of a tag, here and over HTTP, and a name that is given twice once', async () => {
    await using scene = await newScene();
    const { world, upstream, at } = scene;
    const { host } = await world.startRegistry();
    const overHttp = { env: { LOCAL_REGISTRY: host, XDG_DATA_HOME: `${world.path}/other` } };
    for (const options of [{}, overHttp]) {
      upstream.addImage('team/moving:1', MANY);
      await world.must(['lreg_cache', '--platform=all', at('team/moving:1')]);
      upstream.addImage('team/moving:1', NEWER);
      await world.must(['lreg_cache', at('team/moving:1')]);
      await world.must(['lreg_rm', 'team/moving:1', at('team/moving:1'), 'team/moving:1'], options);
      expect(await world.must(['lreg_ls'], options)).toBe('');
    }
    await world.must(['lreg_cache', at('team/moving:1'), at('team/many:1')]);
    const { digest } = NEWER.manifest;
    await world.must(['lreg_rm', 'team/many:1', `team/moving@${digest}`, `team/moving@${digest}`], overHttp);
    expect(await world.must(['lreg_ls'])).toBe('');
    const missing = await world.images(['lreg_rm', 'team/many:1', 'team/many:1']);
    expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining('not in the private registry') });
  });

  it('shows and removes what was uploaded with its host in its name', async () => {
    await using world = await newWorld();
    const { base, host } = await world.startRegistry();
    await pushImage(base, 'quay.io/team/tool:v1', TOOL);
    const overHttp = { env: { LOCAL_REGISTRY: host, XDG_DATA_HOME: `${world.path}/other` } };
    for (const options of [{}, overHttp]) {
      expect(await world.must(['lreg_ls'], options)).toBe('quay.io/team/tool:\n  ["v1"]\n');
      expect((await world.images(['lreg_isloaded', 'quay.io/team/tool:v1'], options)).status).toBe(0);
    }
    await world.must(['lreg_rm', 'quay.io/team/tool:v1'], overHttp);
    expect((await world.images(['lreg_isloaded', 'quay.io/team/tool:v1'])).status).toBe(1);
    await pushImage(base, 'quay.io/team/tool:v1', TOOL);
    await world.must(['lreg_rm', 'quay.io/team/tool:v1']);
    expect(await world.must(['lreg_ls'])).toBe('');
  });

  it('removes a tag alone, a manifest by digest with its tags, and what is not there not at all', async () => {
    await using scene = await newScene();
    const { world, upstream, at } = scene;
    upstream.addImage('library/alpine:same', ALPINE);
    await world.must(['lreg_cache', at('library/alpine:1'), at('library/alpine:same'), at('team/tool:v1')]);
    expect(await world.images(['lreg_rm', 'alpine:1'])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await world.must(['lreg_ls'])).toContain('library/alpine:\n  ["same"]\n');
    expect((await world.images(['lreg_isloaded', at('library/alpine:1')])).status).toBe(1);
    await world.must(['lreg_rm', `team/tool@${TOOL.manifest.digest}`]);
    expect(await world.must(['lreg_ls', '--hosts'])).not.toContain('v1');
    expect(await world.must(['lreg_ls'])).toBe('library/alpine:\n  ["same"]\n');
    const again = await world.images(['lreg_rm', 'alpine:1']);
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/^ERROR: not in the private registry \[alpine:1\]\n/);
  });
});

describe('a data directory that is named', () => {
  it('and holds no store is not taken for an empty one', async () => {
    await using world = await newWorld();
    const data = join(world.path, 'mistyped');
    const said = `ERROR: there is no store [${data}]\nCheck the directory, or run \`images lreg_start --data=${data}\`.\n`;
    for (const args of [['lreg_ls'], ['lreg_isloaded', 'x:1'], ['lreg_rm', 'x:1'], ['lreg_inspect', 'x:1']]) {
      expect(await world.images([...args, `--data=${data}`])).toEqual({ status: 1, stdout: '', stderr: said });
    }
    expect((await world.images(['lreg_missingimages', '--pause=x:1'], { env: { IMAGES_DATA: data } })).stderr).toBe(
      said,
    );
  });
});
