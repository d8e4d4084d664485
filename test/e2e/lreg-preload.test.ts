import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALPINE, AMD, ARM, NEWER, newScene, TOOL } from './testing/scene.ts';

const SIZE = /(\d+) bytes \([^)]*\) to fetch, (\d+) bytes? .*already there/;

describe('images lreg_preload', () => {
  it('caches what an overlay uses, each image named on stderr, nothing on stdout; the second time there is nothing to do', async () => {
    await using scene = await newScene();
    const { world, upstream, at } = scene;
    const overlay = await scene.overlay('one', [at('library/alpine:1'), at('team/tool:v1'), at('team/many:1')]);
    const first = await world.images(['lreg_preload', overlay]);
    expect(first).toMatchObject({ status: 0, stdout: '' });
    expect(
      first.stderr
        .split('\n')
        .filter((line) => line.startsWith('==='))
        .sort(),
    ).toEqual([`=== ${at('library/alpine:1')}`, `=== ${at('team/many:1')}`, `=== ${at('team/tool:v1')}`]);
    expect(first.stderr).toMatch(/^3 images cached, [\d.]+ kB fetched, 0 B already there, [\d.]+ s$/m);
    expect(await world.must(['lreg_ls'])).toBe('library/alpine:\n  ["1"]\nteam/many:\n  ["1"]\nteam/tool:\n  ["v1"]\n');
    const asked = upstream.requests.length;
    const second = await world.images(['lreg_preload', overlay]);
    expect(second.stderr).toContain('0 images cached, 3 there before');
    expect(upstream.requests.length).toBe(asked);
  });

  it('plans with --dry-run what it then fetches, and changes nothing', async () => {
    await using scene = await newScene();
    const { world, upstream, at } = scene;
    const overlay = await scene.overlay('one', [at('library/alpine:1'), at('team/tool:v1')]);
    const plan = await world.must(['lreg_preload', '--dry-run', overlay]);
    expect(plan.split('\n').slice(0, 2)).toEqual([at('library/alpine:1'), at('team/tool:v1')]);
    const bytes = Number(SIZE.exec(plan)?.[1]);
    expect(bytes).toBeGreaterThan(150_000);
    // Planning reads configs, to compare them with the manifests, but no layers.
    expect(upstream.fetches()).toBe(2);
    const configs = upstream.sent();
    expect(configs).toBeLessThan(2000);
    const done = JSON.parse(await world.must(['lreg_preload', '--json', overlay]));
    expect(done.bytes).toEqual({ fetched: bytes, alreadyThere: 0 });
    expect(upstream.sent()).toBe(bytes + configs);
    expect(plan).toContain(`2 images, ${done.requests} requests, `);
    expect(done.images.map((image: { image: string }) => image.image)).toEqual([
      at('library/alpine:1'),
      at('team/tool:v1'),
    ]);
  });

  it('adds the pause image, and without arguments caches it alone', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    await world.must(['lreg_preload', `--pause=${at('library/alpine:1')}`]);
    expect(await world.must(['lreg_ls'])).toBe('library/alpine:\n  ["1"]\n');
    await world.must(['lreg_preload', await scene.overlay('one', [])], { env: { IMAGES_PAUSE: at('team/tool:v1') } });
    expect(await world.must(['lreg_ls'])).toContain('team/tool:');
    const { status, stderr } = await world.images(['lreg_preload']);
    expect(status).toBe(0);
    expect(stderr).toContain('No pause image is added');
  });

  it('skips what is built here: tags that begin with local', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    const overlay = await scene.overlay('one', [at('library/alpine:1'), 'example/mine:local', 'example/mine:local-2']);
    const { status, stderr } = await world.images(['lreg_preload', overlay]);
    expect(status).toBe(0);
    expect(stderr).toContain('Skipped, it is built here: example/mine:local-2');
  });

  it('stops at the first failure with one line that names it', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    const overlay = await scene.overlay('one', [at('library/alpine:1'), at('team/nothing:1')]);
    const { status, stdout, stderr } = await world.images(['lreg_preload', overlay]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^ERROR: ${at('team/nothing:1')}: `, 'm'));
    expect(stderr).not.toContain('    at ');
  });

  it('goes on with --keep-going, lists all failures at the end, and still fails', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    const overlay = await scene.overlay('one', [at('a/missing:1'), at('library/alpine:1'), at('z/missing:1')]);
    const { status, stderr } = await world.images(['lreg_preload', '--keep-going', overlay]);
    expect(status).toBe(1);
    expect(stderr).toContain('2 images failed:');
    for (const name of ['a/missing:1', 'z/missing:1']) expect(stderr).toContain(`  ${at(name)}: `);
    expect(await world.must(['lreg_ls'])).toContain('library/alpine:');
  });

  it('fetches with --refresh what has moved at its source, by one HEAD each', async () => {
    await using scene = await newScene();
    const { world, upstream, at } = scene;
    const overlay = await scene.overlay('one', [at('library/alpine:1'), at('team/tool:v1')]);
    await world.must(['lreg_preload', overlay]);
    const before = upstream.requests.length;
    await world.must(['lreg_preload', '--refresh', overlay]);
    expect(upstream.requests.slice(before).filter((request) => request.startsWith('GET'))).toEqual([]);
    upstream.addImage('library/alpine:1', NEWER);
    const { stderr } = await world.images(['lreg_preload', '--refresh', overlay]);
    expect(stderr).toContain('1 image cached, 1 there before');
    expect(JSON.parse(await world.must(['lreg_inspect', 'alpine:1'])).Digest).toBe(NEWER.manifest.digest);
  });

  it('finds out with --maybe whether uncertain images exist, by one HEAD each, and one GET if that finds nothing', async () => {
    await using scene = await newScene();
    const { world, upstream, at } = scene;
    const overlay = await scene.overlay('one', []);
    const thing = `apiVersion: example.com/v1\nkind: Thing\nspec:\n  one: ${at('team/tool:v1')}\n  other: ${at('no/image:1')}\n`;
    await writeFile(join(overlay, 'thing.yaml'), thing);
    await world.must(['lreg_preload', overlay]);
    expect(upstream.requests).toEqual([]);
    await world.must(['lreg_preload', '--maybe', overlay]);
    expect(await world.must(['lreg_ls'])).toBe('team/tool:\n  ["v1"]\n');
    // Some registries answer HEAD with 404 for images that they have.
    expect(upstream.requests.filter((request) => request.includes('no/image'))).toEqual([
      'HEAD /v2/no/image/manifests/1',
      'GET /v2/no/image/manifests/1',
    ]);
  });

  it('looks at everything again with --force, and fetches no layer twice', async () => {
    await using scene = await newScene();
    const { world, upstream, at } = scene;
    const overlay = await scene.overlay('one', [at('library/alpine:1')]);
    await world.must(['lreg_preload', overlay]);
    const sent = upstream.sent();
    const { stderr } = await world.images(['lreg_preload', '--force', overlay]);
    expect(stderr).toContain(`=== ${at('library/alpine:1')}`);
    const config = ALPINE.blobs[0]?.bytes.length ?? 0;
    expect(upstream.sent()).toBe(sent + config);
  });

  it('fetches with --platform what an image that is there lacks, and asks nobody where nothing is lacking', async () => {
    await using scene = await newScene();
    const { world, upstream, at } = scene;
    const overlay = await scene.overlay('one', [at('library/alpine:1'), at('team/many:1')]);
    await world.must(['lreg_preload', '--platform=linux/amd64', overlay]);
    const before = upstream.requests.length;
    expect((await world.images(['lreg_preload', '--platform=linux/amd64', overlay])).stderr).toContain(
      '0 images cached, 2 there before',
    );
    expect(upstream.requests.length).toBe(before);
    await world.must(['lreg_preload', '--platform=linux/arm64', overlay]);
    for (const [architecture, image] of Object.entries({ amd64: AMD, arm64: ARM })) {
      const config = await world.must(['lreg_inspect', '--config', `--platform=linux/${architecture}`, 'team/many:1']);
      expect(config).toBe(Buffer.from(image.blobs[0]?.bytes ?? []).toString());
    }
    const asked = upstream.requests.length;
    const both = await world.images(['lreg_preload', '--platform=linux/arm64,linux/amd64', overlay]);
    expect(both.stderr).toContain('0 images cached, 2 there before');
    // A tag may have changed from a single image to an index: a HEAD request shows that.
    expect(upstream.requests.slice(asked)).toEqual(['HEAD /v2/library/alpine/manifests/1']);
    expect((await world.images(['lreg_preload', '--platform=linux/s390x', at('team/many:1')])).status).toBe(1);
  });

  it('reads references from standard input, also by digest', async () => {
    await using scene = await newScene();
    const { world, at } = scene;
    const input = `# two\n${at('library/alpine:1')}\n\n${at(`team/tool@${TOOL.manifest.digest}`)} # by digest\n`;
    expect((await world.images(['lreg_preload', '-'], { input })).status).toBe(0);
    expect(await world.must(['lreg_ls'])).toBe('library/alpine:\n  ["1"]\nteam/tool:\n  []\n');
    expect((await world.images(['lreg_preload', '-'], { input })).stderr).toContain('2 there before');
  });

  it('counts an image of two overlays once, and finds overlays by name', async () => {
    await using scene = await newScene();
    const { world, upstream, at } = scene;
    await scene.overlay('one', [at('library/alpine:1')]);
    await scene.overlay('two', [at('library/alpine:1'), at('team/tool:v1')]);
    const env = { XCLUSTER_OVLPATH: `${world.path}/overlays` };
    const { stderr } = await world.images(['lreg_preload', 'one', 'two'], { env });
    expect(stderr).toContain('2 images cached');
    expect(upstream.fetches(ALPINE.blobs[1]?.digest)).toBe(1);
  });

  it('says which overlay it does not know', async () => {
    await using scene = await newScene();
    const { status, stderr } = await scene.world.images(['lreg_preload', 'nowhere']);
    expect(status).toBe(1);
    expect(stderr).toContain('ERROR: no such overlay, directory or file [nowhere]\n');
  });
});
