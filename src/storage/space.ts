// How many bytes the blobs and the unfinished uploads of a store have: a running sum in a small object, which all processes that write to the store add to.
import { isObject } from '../oci/decode.ts';
import { isImagesError } from '../oci/errors.ts';
import { SPACE_KEY } from './layout/store-keys.ts';
import type { Store } from './store.ts';

export interface Space {
  /** In bytes: the last count, and what was added since. Counts first if there is no sum, or if it is an hour old. */
  used(): Promise<number>;
  /** Counts now, unless that was just done. */
  recounted(): Promise<number>;
  /** Counts now: after a collection. */
  recount(): Promise<number>;
  /** Adds bytes if the sum stays within the limit; returns whether it does. */
  take(bytes: number, limit: number): Promise<boolean>;
  /** Adds bytes, or takes them off. Others are told of a share of `limit`. */
  add(bytes: number, limit: number): Promise<void>;
}

export interface SpaceOptions {
  readonly now?: () => number;
  /** Bytes that were taken and are not written yet: a count does not see them. */
  readonly unwritten?: () => number;
}

/** In milliseconds. */
const OLD_MS = 3600 * 1000;
/** In milliseconds: how long what others have added may be unknown. */
const READ_MS = 100;
/** In milliseconds. A full store is counted again before a write is refused, but not for each write; and not for more than a twentieth of the time. */
const RECOUNT_MS = 60_000;
const RECOUNT_SHARE = 20;
/** Others are told of this share of the limit. */
const STEP = 1 / 1000;

interface Sum {
  readonly bytes: number;
  /** When the store was counted. */
  readonly countedAt: number;
}

export function spaceOf({ objects, blobs }: Store, { now = Date.now, unwritten = () => 0 }: SpaceOptions = {}): Space {
  let sum: Sum | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  /** Bytes that are not in the object yet. */
  let pending = 0;
  let tookMs = 0;
  let counting: Promise<number> | undefined;
  let telling: Promise<void> | undefined;

  const isOld = ({ countedAt }: Sum) => Math.abs(now() - countedAt) > OLD_MS;

  async function read(): Promise<Sum | undefined> {
    const bytes = await objects.get(SPACE_KEY);
    if (!bytes) return undefined;
    try {
      const value: unknown = JSON.parse(Buffer.from(bytes).toString());
      if (!isObject(value) || typeof value.bytes !== 'number' || typeof value.countedAt !== 'number') return undefined;
      return { bytes: value.bytes, countedAt: value.countedAt };
    } catch {
      // A power cut has emptied it.
      return undefined;
    }
  }

  /** Learns what others have added, unless this process writes the sum meanwhile: that is newer. */
  async function learn(): Promise<void> {
    const before = sum;
    const found = await read();
    if (telling || counting || sum !== before) return;
    sum = found;
    readAt = now();
  }

  async function write(next: Sum): Promise<void> {
    try {
      await objects.put(SPACE_KEY, Buffer.from(JSON.stringify(next)), { volatile: true });
    } catch (error) {
      if (!isImagesError(error, 'READ_ONLY', 'NO_ACCESS', 'NO_SPACE')) throw error;
    }
  }

  /** Tells others what was added. Nothing is lost of what is added meanwhile. */
  async function tell(known: Sum): Promise<void> {
    const added = pending;
    const before = (await read()) ?? known;
    const next = { ...before, bytes: Math.max(0, before.bytes + added) };
    await write(next);
    sum = next;
    readAt = now();
    pending -= added;
  }

  async function count(): Promise<number> {
    await telling?.catch(() => undefined);
    const began = now();
    // What is written meanwhile may be counted twice, until the next time.
    if (sum) sum = { ...sum, bytes: sum.bytes + pending };
    pending = 0;
    let bytes = unwritten();
    bytes += await blobs.sweep({ before: new Date(0) });
    for await (const { size } of blobs.all()) bytes += size;
    const next = { bytes, countedAt: began };
    await write(next);
    sum = next;
    readAt = now();
    tookMs = now() - began;
    return bytes + pending;
  }

  /** Single-flight. */
  function recount(): Promise<number> {
    counting ??= count().finally(() => {
      counting = undefined;
    });
    return counting;
  }

  async function used(): Promise<number> {
    if (counting && !sum) return await counting;
    if (!sum || Math.abs(now() - readAt) > READ_MS) await learn();
    if (!sum) return await recount();
    // Nobody waits for a walk through the store, as long as there is an older sum.
    if (isOld(sum)) void recount().catch(() => undefined);
    return Math.max(0, sum.bytes + pending);
  }

  async function add(bytes: number, limit: number): Promise<void> {
    pending += bytes;
    // One at a time: of two that read the same sum, one would lose what the other has added.
    while (sum && !counting && Math.abs(pending) >= limit * STEP) {
      telling ??= tell(sum).finally(() => {
        telling = undefined;
      });
      await telling;
    }
  }

  return {
    used,
    add,
    take: async (bytes, limit) => {
      await used();
      // Nothing is awaited between the look and the addition: several at a time do not exceed the limit together.
      if ((sum?.bytes ?? 0) + pending + bytes > limit) return false;
      await add(bytes, limit);
      return true;
    },
    recount,
    recounted: async () => {
      const least = Math.max(RECOUNT_MS, tookMs * RECOUNT_SHARE);
      return sum && Math.abs(now() - sum.countedAt) < least ? await used() : await recount();
    },
  };
}
