// What `lreg_check` finds in a store that a disk has damaged, what that costs, and what it mends; images come from a real docker-registry.
import { once } from 'node:events';
import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { HousekeepingEvent } from '../../src/observe/housekeeping.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { openEmbeddedStore } from '../../src/storage/embedded-store.ts';
import { blobKey, layerLinkKey, revisionLinkKey, tagLinkKey } from '../../src/storage/layout/registry-keys.ts';
import { checkPositionKey } from '../../src/storage/layout/store-keys.ts';
import { keepHouse } from '../../src/tasks/private-registry/housekeeping.ts';
import { buildImage, type FixtureImage, pushImage, randomLayer } from '../fixtures/image.ts';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { needs } from '../peers/find.ts';
import { until } from '../peers/process.ts';
import { newWorld, type World } from '../peers/program.ts';
import { ageStore } from './testing/age-store.ts';
import { ALPINE, MANY, NEWER, TOOL } from './testing/scene.ts';

const docker = needs('docker-registry');

const blobFile = (world: World, digest: string) => join(world.data, blobKey(digest as Digest));
const layerOf = (image: FixtureImage, at = 0) =>
  image.blobs.filter(({ mediaType }) => /layer|rootfs/.test(mediaType))[at]?.digest as Digest;
const configOf = (image: FixtureImage) =>
  image.blobs.find(({ mediaType }) => !/layer|rootfs/.test(mediaType))?.digest as Digest;
const manifestOf = (image: FixtureImage) => image.manifest.digest as Digest;

async function flipBit(world: World, digest: Digest): Promise<void> {
  const bytes = await readFile(blobFile(world, digest));
  const at = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(blobFile(world, digest), bytes);
}

const zeroed = (world: World, key: string) => writeFile(join(world.data, key), '');

interface Checked {
  readonly ok: boolean;
  readonly blobs: number;
  readonly mended: readonly { readonly kind: string }[];
  readonly faults: readonly { readonly kind: string; readonly images: readonly string[]; readonly why?: string }[];
  readonly incomplete: readonly string[];
}

async function checked(world: World, args: readonly string[] = []): Promise<Checked & { readonly status: number }> {
  const { stdout, stderr, status } = await world.images(['lreg_check', '--json', ...args]);
  if (stdout === '') throw new Error(stderr);
  return { ...JSON.parse(stdout), status };
}

/** A world whose images came from docker-registry. */
async function cachedWorld() {
  const origin = await startDockerRegistry();
  await pushImage(origin.base, 'library/alpine:1', ALPINE);
  await pushImage(origin.base, 'team/tool:v1', TOOL);
  await pushImage(origin.base, 'team/many:1', MANY);
  const world = await newWorld();
  const names = ['library/alpine:1', 'team/tool:v1', 'team/many:1'].map((name) => `${origin.host}/${name}`);
  await world.must(['lreg_cache', '--platform=all', ...names]);
  return {
    origin,
    world,
    names,
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(docker.missing)(`images lreg_check${docker.why}`, () => {
  it('says that a store is whole, and how much it has read', async () => {
    await using here = await cachedWorld();
    const { stdout, status } = await here.world.images(['lreg_check']);
    expect([stdout, status]).toEqual([
      expect.stringMatching(/^Checked .* in \d+ blobs\. All images are whole\.\n$/),
      0,
    ]);
    expect((await here.world.images(['lreg_check', 'team/none:1'])).status).toBe(1);
  });

  it('finds damage of each kind, says which images it costs, and mends it from where they came', async () => {
    await using here = await cachedWorld();
    const { world } = here;
    const registry = await world.startRegistry();
    const [amd, arm] = MANY.children as [FixtureImage, FixtureImage];
    await flipBit(world, layerOf(ALPINE));
    await truncate(blobFile(world, configOf(TOOL)), 10);
    await rm(blobFile(world, layerOf(TOOL, 1)));
    await flipBit(world, manifestOf(arm));
    await zeroed(world, layerLinkKey('team/many', layerOf(amd)));
    await zeroed(world, revisionLinkKey('library/alpine', manifestOf(ALPINE)));
    await zeroed(world, tagLinkKey('team/tool', 'v1'));

    const found = await checked(world);
    expect(found.status).toBe(1);
    expect(found.faults.map(({ kind, images }) => [kind, ...images]).sort()).toEqual([
      ['damaged-blob', 'library/alpine:1', 'team/tool:v1'],
      ['damaged-blob', 'team/many:1'],
      ['damaged-blob', 'team/tool:v1'],
      ['garbled-link', 'library/alpine:1'],
      ['garbled-link', 'team/many:1'],
      ['garbled-tag', 'team/tool:v1'],
      ['missing-blob', 'team/tool:v1'],
    ]);
    expect(found.incomplete).toEqual(['library/alpine:1', 'team/many:1', 'team/tool:v1']);
    // The server, another process, does not give it out.
    const refused = await fetch(`${registry.base}/v2/team/tool/blobs/${layerOf(ALPINE)}`);
    expect(refused.status).toBe(404);

    const { stdout, status } = await world.images(['lreg_check', '--repair']);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^(MENDED .*\n){7}Checked .* All images are whole\.\n$/),
    ]);
    for (const name of ['library/alpine:1', 'team/tool:v1', 'team/many:1']) {
      await world.must(['check', `docker://${registry.host}/${name}`]);
    }
    expect(await checked(world)).toMatchObject({ ok: true, faults: [], mended: [] });
  });

  it('is not needed to find damage: a registry checks its store by schedule, and reports damage once', async () => {
    await using here = await cachedWorld();
    const { world } = here;
    const registry = await world.startRegistry();
    const layer = layerOf(ALPINE);
    await flipBit(world, layer);
    const events: HousekeepingEvent[] = [];
    {
      await using _house = keepHouse({
        store: await openEmbeddedStore(world.data),
        gc: 'off',
        scrub: 'weekly',
        activity: { active: 0, lastAt: 0 },
        onEvent: (event) => events.push(event),
        times: { look: 20 },
      });
      await until(async () => events.some(({ type }) => type === 'scrubbed'));
      await delay(100);
    }
    expect(events).toMatchObject([
      { type: 'damaged', digest: layer },
      { type: 'scrubbed', news: [{ kind: 'damaged-blob', images: ['library/alpine:1', 'team/tool:v1'] }] },
    ]);
    expect((await fetch(`${registry.base}/v2/team/tool/blobs/${layer}`)).status).toBe(404);
    expect(JSON.parse(await world.must(['lreg_status', '--json']))).toMatchObject({
      damaged: 1,
      checked: { by: 'scheduled', findings: 1, images: 2 },
      checks: expect.any(String),
    });
    expect(await world.must(['lreg_status'])).toMatch(
      /^damaged {3}1 blob: `images lreg_check --repair`\nchecked .* in \d+ blobs, 2 images not whole, 1 finding; the registry checks it after /m,
    );
  });

  it('looks at some images alone, and mends no others', async () => {
    await using here = await cachedWorld();
    const { world } = here;
    await flipBit(world, configOf(ALPINE));
    await flipBit(world, configOf(TOOL));
    const found = await checked(world, ['team/tool:v1']);
    expect([found.blobs, found.incomplete]).toEqual([4, ['team/tool:v1']]);
    expect(await checked(world, ['--repair', 'team/tool:v1'])).toMatchObject({ ok: true });
    expect((await checked(world)).incomplete).toEqual(['library/alpine:1']);
  });

  it('mends the rest where a host is offline, and says what is left and what to do', async () => {
    await using here = await cachedWorld();
    const { world } = here;
    const registry = await world.startRegistry();
    await pushImage(registry.base, 'team/pushed:1', NEWER);
    {
      await using gone = await startDockerRegistry();
      const image = buildImage({ layers: [randomLayer('offline', 10_000), randomLayer('offline too', 10_000)] });
      await pushImage(gone.base, 'far/away:1', image);
      await world.must(['lreg_cache', `${gone.host}/far/away:1`]);
      await flipBit(world, layerOf(image));
      await flipBit(world, layerOf(image, 1));
    }
    await flipBit(world, layerOf(ALPINE));
    await flipBit(world, layerOf(NEWER));
    const { stdout, status } = await world.images(['lreg_check', '--repair']);
    expect(status).toBe(1);
    expect(stdout).toContain(`MENDED damaged blob ${layerOf(ALPINE)}\n`);
    expect(stdout.match(/not mended: .*127\.0\.0\.1/g)).toHaveLength(2);
    expect(stdout).toContain('`images lreg_rm team/pushed:1`');
    expect(stdout).toMatch(/2 images not whole:\n {4}far\/away:1\n {4}team\/pushed:1\n$/);
    await pushImage(registry.base, 'team/pushed:1', NEWER);
    expect((await checked(world)).incomplete).toEqual(['far/away:1']);
  });

  it('removes links and records that lead nowhere', async () => {
    await using here = await cachedWorld();
    const { world } = here;
    await world.must(['lreg_rm', `${here.origin.host}/team/many:1`]);
    const [amd] = MANY.children as [FixtureImage];
    await rm(blobFile(world, layerOf(amd)));
    await ageStore(world.data, 1);
    const found = await checked(world);
    expect([found.status, found.faults.map(({ kind }) => kind)]).toEqual([0, ['stale-link']]);
    expect((await checked(world, ['--repair'])).mended).toHaveLength(1);
    expect((await checked(world)).faults).toEqual([]);
  });

  it('can be killed while it checks, to go on later, and while it repairs, without a loss', async () => {
    await using here = await cachedWorld();
    const { world } = here;
    const registry = await world.startRegistry();
    for (let at = 0; at < 12; at++) {
      await pushImage(registry.base, `large/${at}:1`, buildImage({ layers: [randomLayer(`large ${at}`, 500_000)] }));
    }
    const slow = world.startImages(['lreg_check', '--rate=1MB']);
    await until(async () => (await stat(join(world.data, checkPositionKey('asked')))).isFile());
    slow.kill('SIGKILL');
    await once(slow, 'exit');
    const resumed = await world.images(['lreg_check']);
    expect(resumed.status).toBe(0);
    expect(resumed.stderr).toMatch(/Going on with the check of .*, which had read .* in \d+ blobs/);
    expect((await world.images(['lreg_check'])).stderr).toBe('');

    for (const after of [100, 300, 500, 700]) {
      for (const digest of [layerOf(ALPINE), configOf(TOOL), manifestOf(ALPINE)]) await flipBit(world, digest);
      await zeroed(world, tagLinkKey('library/alpine', '1'));
      const mending = world.startImages(['lreg_check', '--repair']);
      await delay(after);
      mending.kill('SIGKILL');
      await once(mending, 'exit');
      expect(await checked(world, ['--repair', '--restart'])).toMatchObject({ ok: true, faults: [] });
    }
  });
});

const tmpfs = needs('root', 'mount', 'docker-registry');
it.skipIf(tmpfs.missing)(
  `lreg_check on a full disk finds damage, and says that it could not mend it${tmpfs.why}`,
  async () => {
    await using here = await cachedWorld();
    const { world } = here;
    const ROOTED =
      'mount -t tmpfs -o size=3m none "$1" && cp -a "$0/." "$1" && { head -c 9m /dev/zero > "$1/filler" 2>/dev/null; shift; exec "$@"; }';
    await flipBit(world, layerOf(ALPINE));
    const { run } = await import('../peers/process.ts');
    const at = join(world.path, 'full');
    const { mkdir } = await import('node:fs/promises');
    await mkdir(at);
    const program = ['node_modules/.bin/node', 'dist/images.js', 'lreg_check', '--repair', '--json', `--data=${at}`];
    const result = await run('unshare', ['-m', 'sh', '-c', ROOTED, world.data, at, ...program], { env: world.env });
    const answer = JSON.parse(result.stdout) as Checked & { readonly unmarked: number };
    expect([result.status, answer.ok, answer.unmarked]).toEqual([1, false, 1]);
    expect(answer.faults[0]?.why).toContain('no space left');
  },
);
