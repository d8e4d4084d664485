// Where collections take place, by which rules, and who collects. What is garbage is tested in storage/collector.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ageStore } from '../../../test/e2e/testing/age-store.ts';
import { putImage } from '../../server/testing/content.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { canMount, smallDisk } from '../../storage/testing/directories.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { collectRegistry, isCollecting, tryCollectorTurn } from './collect-garbage.ts';
import { openRuledStore } from './open-store.ts';
import { announceRegistry } from './registry-state.ts';

const DAY = 24 * 3600_000;

afterEach(() => void vi.useRealTimers());

/** A store in which `ci/app:pr-1` was pushed before `ci/app:pr-2`; `team/app:1` was something else before; all of that ten days ago. Configurations are the same. */
async function scene() {
  const world = await temporaryWorld();
  onTestFinished(() => world[Symbol.asyncDispose]());
  const data = join(world.path, 'data');
  const store = await openEmbeddedStore(data);
  const before = await putImage(store.registry, 'team/app', '1');
  await putImage(store.registry, 'team/app', '1');
  await putImage(store.registry, 'ci/app', 'pr-1');
  await ageStore(data, 1);
  await putImage(store.registry, 'ci/app', 'pr-2');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * DAY });
  const settings = world.settings({}, { data });
  const tags = () => Array.fromAsync(store.registry.tags('ci/app'));
  const isThere = async () => (await store.registry.statManifest('team/app', before.manifest.digest)) !== undefined;
  return { world, data, store, settings, before, tags, isThere };
}

describe('a collection', () => {
  it('frees what lost its tag, and says what that was', async () => {
    const { data, settings, before, isThere } = await scene();
    const collected = await collectRegistry({}, settings);
    expect(collected).toMatchObject({ data, blobs: 2, tags: [], isMore: false });
    expect(collected.manifests).toMatchObject([{ repository: 'team/app', digest: before.manifest.digest }]);
    expect([await isThere(), await isCollecting(data)]).toEqual([false, false]);
    expect(await collectRegistry({}, settings)).toMatchObject({ blobs: 0, manifests: [] });
  });

  it('leaves it where it is asked to, or for longer', async () => {
    const { settings, isThere } = await scene();
    expect(await collectRegistry({ keepUntagged: true }, settings)).toMatchObject({ blobs: 0, manifests: [] });
    expect(await collectRegistry({ olderThanMs: 20 * DAY }, settings)).toMatchObject({ blobs: 0, manifests: [] });
    expect(await isThere()).toBe(true);
    expect(await collectRegistry({ olderThanMs: 0 }, settings)).toMatchObject({ blobs: 2 });
  });

  it('obeys the rules of the configuration, unless it is told not to', async () => {
    const { world, settings, tags } = await scene();
    await world.file('data/registry.toml', '[[keep]]\nimages = "ci/**:pr-*"\nnewest = 1\n');
    expect((await collectRegistry({ noRetention: true }, settings)).tags).toEqual([]);
    expect((await collectRegistry({ dryRun: true }, settings)).tags).toMatchObject([{ tag: 'pr-1' }]);
    expect(await tags()).toEqual(['pr-1', 'pr-2']);
    expect((await collectRegistry({}, settings)).tags).toMatchObject([{ repository: 'ci/app', tag: 'pr-1' }]);
    expect(await tags()).toEqual(['pr-2']);
  });

  it('does not begin where the rules are not understood', async () => {
    const { world, settings, isThere } = await scene();
    await world.file('data/registry.toml', 'keep = 1');
    await expect(collectRegistry({}, settings)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await isThere()).toBe(true);
  });

  it('makes room below the quota at once', async () => {
    const { world, data, settings } = await scene();
    const config = await world.file('data/registry.toml', 'quota = "1 GB"');
    const used = async () => await (await openRuledStore(data, { ...settings, config })).space?.used();
    const before = (await used()) ?? 0;
    const { bytes } = await collectRegistry({}, settings);
    expect(bytes).toBeGreaterThan(0);
    expect(await used()).toBe(before - bytes);
  });

  it('that only tells deletes nothing, also while another process collects', async () => {
    const { data, settings, isThere } = await scene();
    await using _turn = await tryCollectorTurn(data);
    expect(await collectRegistry({ dryRun: true }, settings)).toMatchObject({ blobs: 2 });
    expect(await isThere()).toBe(true);
  });
});

describe('while another one collects', () => {
  it('is refused, and says who does', async () => {
    const { data, settings } = await scene();
    await using _turn = await tryCollectorTurn(data);
    expect([await isCollecting(data), await tryCollectorTurn(data)]).toEqual([true, undefined]);
    const collecting = () => collectRegistry({}, settings);
    await expect(collecting()).rejects.toMatchObject({
      code: 'ALREADY_RUNNING',
      message: `another process collects garbage there now, pid ${process.pid} [${data}]`,
    });
    const { withdraw } = announceRegistry({ data, addresses: [], version: '1' }, settings);
    await expect(collecting()).rejects.toThrow('the running registry collects garbage');
    withdraw();
  });

  it('waits for one that is about to end, unless it is interrupted', async () => {
    const { data, settings, isThere } = await scene();
    const turn = await tryCollectorTurn(data);
    const aborted = { ...settings, signal: AbortSignal.abort(new Error('interrupted')) };
    await expect(collectRegistry({}, aborted)).rejects.toThrow('interrupted');
    const collecting = collectRegistry({}, settings);
    await turn?.[Symbol.asyncDispose]();
    expect(await collecting).toMatchObject({ blobs: 2 });
    expect(await isThere()).toBe(false);
  });
});

describe('a registry that is not this user’s embedded one', () => {
  it('is collected where it runs', async () => {
    const { world } = await scene();
    const other = world.settings({ LOCAL_REGISTRY: 'r.io:5000' });
    await expect(collectRegistry({}, other)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('r.io:5000'),
      hint: expect.stringContaining('registry garbage-collect'),
    });
  });

  it('is not there at all', async () => {
    const { world, data, settings } = await scene();
    await expect(collectRegistry({}, world.settings())).rejects.toMatchObject({ code: 'NO_REGISTRY' });
    await rm(data, { recursive: true });
    await expect(collectRegistry({}, settings)).rejects.toMatchObject({ message: expect.stringContaining(data) });
    expect(await isCollecting(data)).toBe(false);
  });
});

describe.skipIf(!canMount)('a full disk (skipped where we may not mount)', () => {
  it.each(['garbage', 'nothing'])('with %s to free is collected without an error', async (what) => {
    await using world = await temporaryWorld();
    await using disk = await smallDisk(2048);
    const data = disk?.path ?? '';
    const store = await openEmbeddedStore(data);
    await putImage(store.registry, 'team/app', '1');
    if (what === 'garbage') await store.registry.deleteTag('team/app', '1', { unneeded: true });
    await ageStore(data, 3);
    await writeFile(join(data, 'filler'), Buffer.alloc(2_100_000)).catch(() => undefined);
    const { blobs } = await collectRegistry({}, world.settings({}, { data }));
    expect(blobs).toBe(what === 'garbage' ? 3 : 0);
    expect(await isCollecting(data)).toBe(false);
  });
});
