import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEmbeddedStore } from '../../src/storage/embedded-store.ts';
import { takeSample } from '../../src/storage/repositories/space-samples.ts';
import { buildImage, pushImage, randomLayer } from '../fixtures/image.ts';
import { newWorld, type World } from '../peers/program.ts';
import { eventually } from '../testing/eventually.ts';

const SHARED = randomLayer('du shared', 100_000);
const ONE = buildImage({ layers: [SHARED, randomLayer('du one', 50_000)] });
const TWO = buildImage({ layers: [SHARED, randomLayer('du two', 20_000)] });
const NEWER = buildImage({ layers: [randomLayer('du newer', 10_000)] });

interface Row {
  readonly name: string;
  readonly size: number;
  readonly own: number;
  readonly shared: number;
  readonly reclaimable: number;
}

async function spaceOf(world: World, ...names: string[]) {
  const { total, repositories } = JSON.parse(await world.must(['lreg_du', '--json', ...names]));
  const rows: Row[] = repositories.flatMap((one: { images: Row[] }) => one.images);
  return { total, repositories, rows, row: (name: string) => rows.find((row) => row.name === name) };
}

/** As if two days had passed since anybody used a blob or a link. */
async function age(world: World): Promise<void> {
  const store = await openEmbeddedStore(world.data);
  const then = new Date(Date.now() - 2 * 24 * 3600 * 1000);
  for await (const { key } of store.objects.list('docker/')) await utimes(join(world.data, key), then, then);
}

describe('images lreg_du', () => {
  it('says how much lreg_rm and lreg_gc free if they remove only this image', async () => {
    await using world = await newWorld();
    const { base } = await world.startRegistry();
    await pushImage(base, 'team/app:1', ONE);
    await pushImage(base, 'team/app:2', TWO);
    const before = await spaceOf(world);
    const one = before.row('team/app:1');
    expect(one?.own).toBeGreaterThan(50_000);
    expect(one?.shared).toBeGreaterThanOrEqual(100_000);
    expect(before.repositories[0]).toMatchObject({ repository: 'team/app', shared: 0, own: before.total.bytes });

    await world.must(['lreg_rm', 'team/app:1']);
    await age(world);
    const between = await spaceOf(world);
    expect(between.total.reclaimable).toEqual({ now: one?.own, later: 0 });
    await world.must(['lreg_gc']);
    const after = await spaceOf(world);
    expect(before.total.bytes - after.total.bytes).toBe(one?.own);
    expect(after.row('team/app:2')).toMatchObject({ own: after.total.bytes, shared: 0 });
  });

  it('shows former states of a tag as reclaimable, also in the table', async () => {
    await using world = await newWorld();
    const { base } = await world.startRegistry();
    await pushImage(base, 'team/app:1', TWO);
    const { own } = (await spaceOf(world)).row('team/app:1') as Row;
    await pushImage(base, 'team/app:1', NEWER);
    const { row, total } = await spaceOf(world, 'team/*:1');
    expect(row('team/app:1')).toMatchObject({ reclaimable: own });
    expect(total).toMatchObject({ former: own, reclaimable: { now: 0, later: own } });
    const lines = (await world.must(['lreg_du'])).split('\n');
    expect(lines[0]).toMatch(/^ +SIZE +OWN +SHARED +RECLAIMABLE {2}IMAGE$/);
    expect(lines[2]).toMatch(/kB +\d.* kB +0 B +\d.* kB {4}:1$/);
    expect(lines.find((line) => line.startsWith('reclaimable'))).toMatch(/0 B now .* kB later$/);
  });

  it('refuses unknown names, and registries that do not report space', async () => {
    await using world = await newWorld();
    const { base, host } = await world.startRegistry();
    await pushImage(base, 'team/app:1', ONE);
    expect(await world.images(['lreg_du', 'team/none'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('ERROR: no image of this name is there [team/none]'),
    });
    const overHttp = { env: { LOCAL_REGISTRY: host, XDG_DATA_HOME: `${world.path}/other` } };
    expect((await world.images(['lreg_du'], overHttp)).stderr).toContain('only the embedded registry tells its space');
  });

  it('--history shows the samples of the days', async () => {
    await using world = await newWorld();
    const { base } = await world.startRegistry();
    await pushImage(base, 'team/app:1', ONE);
    expect(await world.must(['lreg_du', '--history'])).toBe('');
    const store = await openEmbeddedStore(world.data);
    const step = async () => undefined;
    for (const day of ['2026-01-02', '2026-01-01'])
      await takeSample(store, { now: new Date(`${day}T10:00:00Z`), step });
    expect(await world.must(['lreg_du', '--history'])).toMatch(
      /^ 2026-01-01 +\d.* kB {2}4 blobs\n 2026-01-02 +\d.* kB {2}4 blobs\n$/,
    );
    expect(JSON.parse(await world.must(['lreg_du', '--history', '--json']))[1]).toMatchObject({
      at: '2026-01-02T10:00:00.000Z',
      blobs: 4,
    });
  });
});

describe('pulls', () => {
  const pullsOf = async (world: World) => JSON.parse(await world.must(['lreg_ls', '--json']))[0].pulls;

  it('are counted by the registry that serves, and written when it stops; HEAD and commands count nothing', async () => {
    await using world = await newWorld();
    const { base } = await world.startRegistry();
    await pushImage(base, 'team/app:1', ONE);
    const url = `${base}/v2/team/app/manifests`;
    for (const what of ['1', '1', ONE.manifest.digest]) await (await fetch(`${url}/${what}`)).arrayBuffer();
    await fetch(`${url}/1`, { method: 'HEAD' });
    await world.must(['lreg_inspect', 'team/app:1']);
    await world.must(['lreg_stop']);
    const pulls = { byTag: 2, byDigest: 1, last: expect.stringMatching(/^\d{4}-.*Z$/) };
    expect(await pullsOf(world)).toEqual({ 1: pulls });
    expect(JSON.parse(await world.must(['lreg_inspect', 'team/app:1'])).Pulls).toMatchObject({ ByTag: 2, ByDigest: 1 });
  });

  it('of the last minute are lost when the registry is killed, and nothing else', async () => {
    await using world = await newWorld();
    const { base } = await world.startRegistry();
    await pushImage(base, 'team/app:1', ONE);
    await (await fetch(`${base}/v2/team/app/manifests/1`)).arrayBuffer();
    await world.must(['lreg_stop']);
    expect(await pullsOf(world)).toMatchObject({ 1: { byTag: 1 } });

    const again = await world.startRegistry();
    await (await fetch(`${again.base}/v2/team/app/manifests/1`)).arrayBuffer();
    process.kill(JSON.parse(await world.must(['lreg_status', '--json'])).pid, 'SIGKILL');
    await eventually(async () => (await world.images(['lreg_status'])).status === 1);
    expect(await pullsOf(world)).toMatchObject({ 1: { byTag: 1, byDigest: 0 } });

    const third = await world.startRegistry();
    const got = await fetch(`${third.base}/v2/team/app/manifests/1`);
    expect(got.headers.get('docker-content-digest')).toBe(ONE.manifest.digest);
    for (const { digest, bytes } of ONE.blobs)
      expect((await (await fetch(`${third.base}/v2/team/app/blobs/${digest}`)).arrayBuffer()).byteLength).toBe(
        bytes.length,
      );
    await world.must(['lreg_stop']);
    expect(await pullsOf(world)).toMatchObject({ 1: { byTag: 2 } });
  });
});
