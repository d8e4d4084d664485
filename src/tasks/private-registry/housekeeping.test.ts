import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ageStore } from '../../../test/e2e/testing/age-store.ts';
import { eventually } from '../../../test/testing/eventually.ts';
import type { HousekeepingEvent } from '../../observe/housekeeping.ts';
import { ImagesError } from '../../oci/errors.ts';
import { image, putImage } from '../../server/testing/content.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { COLLECTED_KEY } from '../../storage/layout/store-keys.ts';
import { lastCollected } from '../../storage/repositories/last-collection.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { tryCollectorTurn } from './collect-garbage.ts';
import { type Housekeeping, keepHouse } from './housekeeping.ts';

const SOON = { look: 2, sweep: 2, quiet: 1000, patience: 1e9, retry: 2 };
const QUIET = { active: 0, lastAt: 0 };

/** A store with an image, and with a blob that nothing names. */
async function newHouse(more: Partial<Omit<Housekeeping, 'store'>> = {}) {
  const world = await temporaryWorld();
  onTestFinished(() => world[Symbol.asyncDispose]());
  const store = await openEmbeddedStore(join(world.path, 'data'));
  const content = image();
  await putImage(store.registry, 'team/app', '1', content);
  await store.registry.deleteTag('team/app', '1', { unneeded: true });
  await ageStore(store.directory, 3);
  const events: HousekeepingEvent[] = [];
  const begin = () => {
    const house = keepHouse({
      store,
      gc: 'daily',
      scrub: 'off',
      activity: QUIET,
      onEvent: (event) => events.push(event),
      times: SOON,
      ...more,
    });
    onTestFinished(() => house[Symbol.asyncDispose]());
    return house;
  };
  const collections = () => events.filter(({ type }) => type === 'collected').length;
  return { store, events, begin, collections };
}

const some = () => new Promise((resolve) => setTimeout(resolve, 30));

describe('a registry collects garbage by itself', () => {
  it('once a day, when nobody asks for anything', async () => {
    const { store, events, begin, collections } = await newHouse();
    begin();
    await eventually(async () => collections() > 0 || undefined);
    expect(events).toMatchObject([{ type: 'collected', collection: { blobs: 3 } }]);
    await some();
    expect(collections()).toBe(1);
    await store.objects.put(COLLECTED_KEY, Buffer.from(new Date(Date.now() - 25 * 3600_000).toISOString()));
    await eventually(async () => collections() === 2 || undefined);
  });

  it.each([
    ['while requests are answered', { active: 1, lastAt: 0 }],
    ['just after one', { active: 0, lastAt: Number.MAX_SAFE_INTEGER }],
  ])('not %s, unless it was put off for long', async (_, activity) => {
    const { begin, collections } = await newHouse({ activity });
    const house = begin();
    await some();
    expect(collections()).toBe(0);
    await house[Symbol.asyncDispose]();
    const late = await newHouse({ activity, times: { ...SOON, patience: 0 } });
    late.begin();
    await eventually(async () => late.collections() === 1 || undefined);
  });

  it('not where that is switched off, in a volume of another registry, or while another process collects', async () => {
    const off = await newHouse({ gc: 'off' });
    const volume = await newHouse();
    await volume.store.objects.delete(['images/format']);
    const taken = await newHouse();
    const turn = await tryCollectorTurn(taken.store.directory);
    for (const { begin } of [off, volume, taken]) begin();
    await some();
    for (const { collections } of [off, volume, taken]) expect(collections()).toBe(0);
    await turn?.[Symbol.asyncDispose]();
    await eventually(async () => taken.collections() === 1 || undefined);
  });

  it('again some time after a failure, which is reported once', async () => {
    const { store, events, begin, collections } = await newHouse();
    const all = vi.spyOn(store.blobs, 'all').mockImplementation(() => {
      throw new Error('EIO');
    });
    begin();
    await eventually(async () => all.mock.calls.length > 2 || undefined);
    expect(events).toEqual([{ type: 'housekeeping-failed', error: new Error('EIO') }]);
    all.mockRestore();
    await eventually(async () => collections() === 1 || undefined);
  });

  it('once a day on a full disk, where nothing can be recorded', async () => {
    const { store, events, begin, collections } = await newHouse();
    const full = async () => {
      throw new ImagesError('NO_SPACE', 'the disk is full');
    };
    vi.spyOn(store.objects, 'put').mockImplementation(full);
    begin();
    await eventually(async () => collections() > 0 || undefined);
    await some();
    expect(events).toMatchObject([{ type: 'collected', collection: { blobs: 3 } }]);
  });

  it('after a failure also if the clock is set back', async () => {
    const { store, events, begin, collections } = await newHouse({ times: { ...SOON, retry: 3600_000 } });
    const all = vi.spyOn(store.blobs, 'all').mockImplementation(() => {
      throw new Error('EIO');
    });
    begin();
    await eventually(async () => events.length === 1 || undefined);
    all.mockRestore();
    await some();
    expect(collections()).toBe(0);
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now - 2 * 3600_000);
    onTestFinished(() => clock.mockRestore());
    await eventually(async () => collections() === 1 || undefined);
  });

  it('and stops at once when the registry does', async () => {
    const { store, begin, collections } = await newHouse();
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    const { all } = store.blobs;
    vi.spyOn(store.blobs, 'all').mockImplementation((...args) => {
      resolve();
      return all(...args);
    });
    const house = begin();
    await reached;
    await house[Symbol.asyncDispose]();
    // The step that follows is not taken.
    expect(collections()).toBe(0);
    expect(await Array.fromAsync(all())).toHaveLength(3);
  });
});

it('housekeeping does nothing while the directory is gone, and begins when it is back', async () => {
  let isThere = false;
  const { begin, collections } = await newHouse({ isThere: async () => isThere });
  begin();
  await some();
  expect(collections()).toBe(0);
  isThere = true;
  await eventually(async () => collections() === 1 || undefined);
});

it('housekeeping frees uploads that nobody has continued for an hour, whoever began them', async () => {
  const { store, begin } = await newHouse({ gc: 'off' });
  const uploads = await Promise.all(
    ['old', 'new'].map(async (text) => {
      await using upload = await store.registry.openUpload('team/app');
      await upload.append(
        (async function* () {
          yield Buffer.from(text);
        })(),
      );
      return upload.id;
    }),
  );
  const [old = '', young = ''] = uploads;
  const hourAgo = new Date(Date.now() - 3600_000);
  for await (const { key } of store.objects.list('images/stage/')) {
    if (key.includes(old)) await utimes(join(store.directory, key), hourAgo, hourAgo);
  }
  begin();
  const isThere = async (id: string) => {
    await using upload = await store.registry.openUpload('team/app', id).catch(() => undefined);
    return upload !== undefined;
  };
  await eventually(async () => !(await isThere(old)) || undefined);
  expect(await isThere(young)).toBe(true);
  expect(await lastCollected(store.objects)).toBeUndefined();
});
