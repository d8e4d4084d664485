// A registry checks its store by itself.

import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { acquireLock } from '../../io/files/lock.ts';
import type { HousekeepingEvent } from '../../observe/housekeeping.ts';
import { ImagesError } from '../../oci/errors.ts';
import { image, putImage } from '../../server/testing/content.ts';
import type { CheckedBlob } from '../../storage/blobs.ts';
import { readLastCheck, readPosition } from '../../storage/check/check-record.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { blobKey } from '../../storage/layout/registry-keys.ts';
import { LAST_CHECK_KEY } from '../../storage/layout/store-keys.ts';
import * as health from '../../storage/store-health.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { type Housekeeping, keepHouse } from './housekeeping.ts';
import { registryStatus } from './registry-status.ts';

const SOON = { look: 2, sweep: 1e9, quiet: 1000, patience: 1e9, retry: 2, looks: 2 };
const QUIET = { active: 0, lastAt: 0 };

/** A store with an image. */
async function newHouse(more: Partial<Omit<Housekeeping, 'store'>> = {}) {
  const world = await temporaryWorld();
  onTestFinished(() => world[Symbol.asyncDispose]());
  const data = join(world.path, 'data');
  const store = await openEmbeddedStore(data);
  const content = image();
  await putImage(store.registry, 'team/app', '1', content);
  const events: HousekeepingEvent[] = [];
  const begin = () => {
    const house = keepHouse({
      store,
      gc: 'off',
      scrub: 'weekly',
      activity: QUIET,
      onEvent: (event) => events.push(event),
      times: SOON,
      ...more,
    });
    onTestFinished(() => house[Symbol.asyncDispose]());
    return house;
  };
  const scrubs = () => events.filter(({ type }) => type === 'scrubbed').length;
  const { digest } = content.manifest;
  const damage = () => store.objects.put(blobKey(digest), Buffer.from('damage'));
  /** As if all was done so long ago. */
  const age = async (days: number) => {
    const last = (await readLastCheck(store.objects)) ?? {};
    const finished = new Date(Date.now() - days * 24 * 3600_000);
    await store.objects.put(LAST_CHECK_KEY, Buffer.from(JSON.stringify({ since: finished, ...last, finished })));
  };
  const status = () => registryStatus(world.settings({}, { data }));
  return { store, events, begin, scrubs, damage, digest, age, status };
}

const some = () => new Promise((resolve) => setTimeout(resolve, 30));
const once = (is: () => boolean) => eventually(async () => is() || undefined);

/** The next look at a blob waits until it is released, or its pace ends it. */
function slowCheck({ store }: Awaited<ReturnType<typeof newHouse>>) {
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  const spy = vi.spyOn(store.blobs, 'check').mockImplementation(async (_, pace): Promise<CheckedBlob> => {
    for (;;) {
      resolve();
      await pace?.(5 * 1024 * 1024);
      await new Promise((next) => setTimeout(next, 1));
    }
  });
  return { reached, spy };
}

describe('a registry checks its store by itself', () => {
  it('once a week; its findings are reported once, and shown by lreg_status', async () => {
    const { events, begin, scrubs, damage, digest, age, status } = await newHouse();
    await damage();
    begin();
    await once(() => scrubs() === 1);
    expect(events).toMatchObject([
      { type: 'damaged', digest },
      {
        type: 'scrubbed',
        news: [{ kind: 'damaged-blob', digest, images: ['team/app:1'] }],
        incomplete: ['team/app:1'],
      },
    ]);
    expect(await status()).toMatchObject({
      damaged: 1,
      checked: { by: 'scheduled', blobs: 3, findings: 1, images: 1 },
    });
    await age(6);
    await some();
    expect(scrubs()).toBe(1);
    await age(8);
    await once(() => scrubs() === 2);
    expect(events.map(({ type }) => type)).toEqual(['damaged', 'scrubbed', 'scrubbed']);
    expect(events.at(-1)).toMatchObject({ type: 'scrubbed', news: [], findings: [{ digest }] });
  });

  it('not while requests are answered, unless it was put off for long', async () => {
    const activity = { active: 1, lastAt: 0 };
    const early = await newHouse({ activity });
    early.begin();
    await some();
    expect(early.scrubs()).toBe(0);
    const late = await newHouse({ activity, times: { ...SOON, patience: 30 } });
    late.begin();
    await once(() => late.scrubs() === 1);
  });

  it('not if that is switched off, nothing can be written, or a process collects', async () => {
    const off = await newHouse({ scrub: 'off' });
    const taken = await newHouse();
    const lock = await acquireLock(join(taken.store.directory, 'images/collecting'));
    for (const { begin } of [off, taken]) begin();
    await some();
    for (const { scrubs } of [off, taken]) expect(scrubs()).toBe(0);
    await lock[Symbol.asyncDispose]();
    await once(() => taken.scrubs() === 1);

    const canWrite = async () => {
      throw new ImagesError('READ_ONLY', 'read-only');
    };
    const spy = vi.spyOn(health, 'storeHealth').mockReturnValue({ canRead: async () => {}, canWrite });
    const fixed = await newHouse();
    fixed.begin();
    await some();
    expect(fixed.events).toEqual([]);
    spy.mockRestore();
    await once(() => fixed.scrubs() === 1);
  });

  it('and ends at once with the registry, to go on later where it was', async () => {
    const made = await newHouse();
    const { store, begin, scrubs, events } = made;
    const check = store.blobs.check;
    const { reached, spy } = slowCheck(made);
    let first = true;
    const slow = spy.getMockImplementation();
    spy.mockImplementation(async (digest, pace) => {
      if (!first) return await slow?.(digest, pace);
      first = false;
      return await check(digest, pace);
    });
    const house = begin();
    await reached;
    await eventually(async () => spy.mock.calls.length > 2 || undefined);
    // The check of this blob has no end of its own.
    await house[Symbol.asyncDispose]();
    expect(await readPosition(store.objects, 'scheduled', new Date(0))).toMatchObject({ blobs: 1 });
    expect(events).toEqual([]);

    spy.mockClear().mockImplementation(check);
    begin();
    await once(() => scrubs() === 1);
    expect(spy).toHaveBeenCalledTimes(2);
    expect(events).toMatchObject([{ type: 'scrubbed', blobs: 3 }]);
  });

  it('and waits while others collect', async () => {
    const made = await newHouse();
    const { reached, spy } = slowCheck(made);
    let read = 0;
    const slow = spy.getMockImplementation();
    spy.mockImplementation(
      (digest, pace) =>
        slow?.(digest, (bytes) => {
          read += 1;
          return pace?.(bytes);
        }) as Promise<CheckedBlob>,
    );
    made.begin();
    await reached;
    await using _lock = await acquireLock(join(made.store.directory, 'images/collecting'));
    // The two that are read at once come to a step.
    await some();
    await some();
    const before = read;
    await some();
    expect(read).toBe(before);
  });

  it('and collects when that is due in the middle of a long check', async () => {
    const made = await newHouse({ gc: 'daily' });
    const { reached } = slowCheck(made);
    made.begin();
    await reached;
    await made.store.objects.put('images/format', Buffer.from('1'));
    await made.store.objects.delete(['images/collected']);
    await once(() => made.events.some(({ type }) => type === 'collected'));
    expect(made.scrubs()).toBe(0);
  });

  it('and stops without a failure when it is switched off meanwhile', async () => {
    let scrub: 'weekly' | 'off' = 'weekly';
    const made = await newHouse({
      get scrub() {
        return scrub;
      },
    });
    const { reached, spy } = slowCheck(made);
    made.begin();
    await reached;
    scrub = 'off';
    await some();
    const { length } = spy.mock.calls;
    await some();
    expect(spy.mock.calls.length).toBe(length);
    expect(made.events).toEqual([]);
  });

  it('once a week even if the disk is full at its end', async () => {
    const { store, begin, scrubs } = await newHouse();
    const put = store.objects.put;
    vi.spyOn(store.objects, 'put').mockImplementation(async (key, ...more) => {
      if (key === LAST_CHECK_KEY) throw new ImagesError('NO_SPACE', 'full');
      return await put(key, ...more);
    });
    begin();
    await once(() => scrubs() === 1);
    await some();
    expect(scrubs()).toBe(1);
  });

  it('again some time after a failure, which is reported once', async () => {
    const { store, events, begin, scrubs } = await newHouse();
    const spy = vi.spyOn(store.blobs, 'check').mockRejectedValue(new Error('EIO'));
    begin();
    await eventually(async () => spy.mock.calls.length > 4 || undefined);
    expect(events).toEqual([{ type: 'housekeeping-failed', error: new Error('EIO') }]);
    spy.mockRestore();
    await once(() => scrubs() === 1);
  });
});
