// Counts a store: a walk over all blobs and uploads, one at a time in this process, and not for too much of the time.
import type { Store } from '../store.ts';
import { allAdded, endedWriters, forgetAdded, type OwnAdded } from './added-bytes.ts';
import type { KnownSum } from './known-sum.ts';
import { readCount, type StoreCount, writeCount } from './store-count.ts';

export interface Counting {
  /** Counts now, or joins the count that is under way. Returns the sum, in bytes. */
  recount(): Promise<number>;
  /** The count that is under way. */
  readonly running: Promise<number> | undefined;
  /** Whether this count may be replaced by another one already. */
  mayFollow(count: StoreCount): boolean;
}

export interface CountingOptions {
  readonly own: OwnAdded;
  readonly sum: KnownSum;
  readonly now: () => number;
  /** Bytes that were taken and are not written yet: a count does not see them. */
  readonly unwritten: () => number;
}

/** In milliseconds. A full store is counted again before a write is refused, but not for each write; and not for more than a twentieth of the time. */
const RECOUNT_MS = 60_000;
const RECOUNT_SHARE = 20;

export function storeCounting({ objects, blobs }: Store, { own, sum, now, unwritten }: CountingOptions): Counting {
  let tookMs = 0;
  let running: Promise<number> | undefined;

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
    sum.know(next, await allAdded(objects));
    if (!isLater) await forgetAdded(objects, endedWriters(added.keys()));
    return sum.total;
  }

  return {
    recount: () => {
      running ??= count().finally(() => {
        running = undefined;
      });
      return running;
    },
    get running() {
      return running;
    },
    mayFollow: ({ countedAt }) => Math.abs(now() - countedAt) >= Math.max(RECOUNT_MS, tookMs * RECOUNT_SHARE),
  };
}
