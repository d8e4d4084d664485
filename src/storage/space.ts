// How many bytes the blobs and the unfinished uploads of a store have: as somebody counted them, and what each process has added since (added-bytes.ts).
import { isObject } from '../oci/decode.ts';
import { isImagesError } from '../oci/errors.ts';
import { type AddedBytes, allAdded, endedWriters, forgetAdded, ownAdded } from './added-bytes.ts';
import { SPACE_KEY } from './layout/store-keys.ts';
import type { Objects } from './objects.ts';
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
/** In milliseconds: how often others are told of less than that. */
const TELL_MS = 100;
/** A store is counted when more writers than these have ended: then their objects go. */
const MOST_ENDED = 64;

/** What somebody counted. */
interface Count {
  readonly bytes: number;
  /** When the store was counted. */
  readonly countedAt: number;
  /** What had been added before, by writer. */
  readonly added: AddedBytes;
}

export function spaceOf({ objects, blobs }: Store, { now = Date.now, unwritten = () => 0 }: SpaceOptions = {}): Space {
  const own = ownAdded(objects);
  let last: Count | undefined;
  /** What others have added since. */
  let others = 0;
  let readAt = Number.NEGATIVE_INFINITY;
  let toldAt = Number.NEGATIVE_INFINITY;
  let tookMs = 0;
  let counting: Promise<number> | undefined;

  const isOld = ({ countedAt }: Count) => Math.abs(now() - countedAt) > OLD_MS;
  const total = () => (last ? last.bytes + others + own.bytes - (last.added.get(own.name) ?? 0) : 0);

  /** Learns what others have added, and counted. */
  async function learn(): Promise<void> {
    // The additions first: those that are gone when the count is read are in it.
    const added = await allAdded(objects);
    const found = await readCount(objects);
    // On a full disk, what this process has counted is in its memory alone.
    const isNewest = last === undefined || (found !== undefined && found.countedAt >= last.countedAt);
    know(isNewest ? found : last, added);
    if (last && endedTooMany(added) && mayRecount(last)) void recount().catch(() => undefined);
  }

  function know(count: Count | undefined, added: AddedBytes): void {
    last = count;
    others = 0;
    for (const [name, bytes] of added) if (name !== own.name) others += bytes - (count?.added.get(name) ?? 0);
    readAt = now();
  }

  /** A store is not counted for more than a twentieth of the time. */
  const mayRecount = ({ countedAt }: Count) =>
    Math.abs(now() - countedAt) >= Math.max(RECOUNT_MS, tookMs * RECOUNT_SHARE);

  async function count(): Promise<number> {
    const began = now();
    await own.tell();
    // What is added from now on may be counted twice, until the next time.
    const added = new Map(await allAdded(objects)).set(own.name, own.told);
    let bytes = unwritten();
    bytes += await blobs.sweep({ before: new Date(0) });
    for await (const { size } of blobs.all()) bytes += size;
    tookMs = now() - began;
    const other = await readCount(objects);
    const isLater = other !== undefined && other.countedAt > began && other.countedAt <= now();
    const next = isLater ? other : { bytes, countedAt: began, added };
    if (!isLater) await writeCount(objects, next);
    know(next, await allAdded(objects));
    if (!isLater) await forgetAdded(objects, endedWriters(added.keys()));
    return total();
  }

  /** Single-flight. */
  function recount(): Promise<number> {
    counting ??= count().finally(() => {
      counting = undefined;
    });
    return counting;
  }

  async function used(): Promise<number> {
    if (counting && !last) return await counting;
    if (!last || Math.abs(now() - readAt) > READ_MS) await learn();
    if (!last) return await recount();
    // Nobody waits for a walk through the store, as long as there is an older count.
    if (isOld(last)) void recount().catch(() => undefined);
    return Math.max(0, total());
  }

  async function add(bytes: number, limit: number): Promise<void> {
    own.add(bytes);
    const isMuch = Math.abs(own.bytes - own.told) >= limit * STEP;
    if (!isMuch && Math.abs(now() - toldAt) < TELL_MS) return;
    toldAt = now();
    const telling = own.tell();
    if (isMuch) await telling;
    else telling.catch(() => undefined);
  }

  return {
    used,
    add,
    take: async (bytes, limit) => {
      await used();
      // Nothing is awaited between the look and the addition: several at a time do not exceed the limit together.
      if (total() + bytes > limit) return false;
      await add(bytes, limit);
      return true;
    },
    recount,
    recounted: async () => (last && !mayRecount(last) ? await used() : await recount()),
  };
}

function endedTooMany(added: AddedBytes): boolean {
  return added.size > MOST_ENDED && endedWriters(added.keys()).length > MOST_ENDED;
}

async function readCount(objects: Objects): Promise<Count | undefined> {
  const bytes = await objects.get(SPACE_KEY);
  if (!bytes) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    if (!isObject(value) || typeof value.bytes !== 'number' || typeof value.countedAt !== 'number') return undefined;
    const added = Object.entries(isObject(value.added) ? value.added : {});
    return {
      bytes: value.bytes,
      countedAt: value.countedAt,
      added: new Map(added.flatMap(([name, sum]) => (typeof sum === 'number' ? [[name, sum] as const] : []))),
    };
  } catch {
    // A power cut has emptied it.
    return undefined;
  }
}

async function writeCount(objects: Objects, { added, ...count }: Count): Promise<void> {
  try {
    const text = JSON.stringify({ ...count, added: Object.fromEntries(added) });
    await objects.put(SPACE_KEY, Buffer.from(text), { volatile: true });
  } catch (error) {
    if (!isImagesError(error, 'READ_ONLY', 'NO_ACCESS', 'NO_SPACE')) throw error;
  }
}
