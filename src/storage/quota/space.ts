// How many bytes the blobs and the unfinished uploads of a store have: as somebody counted them (counting.ts), and what each process has added since
// (added-bytes.ts).
import type { Store } from '../store.ts';
import { type AddedBytes, endedWriters, ownAdded } from './added-bytes.ts';
import { storeCounting } from './counting.ts';
import { knownSum } from './known-sum.ts';
import type { StoreCount } from './store-count.ts';

export interface Space {
  /** In bytes, as far as it is known without a look at the store; `undefined` before it was counted. */
  readonly known: number | undefined;
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
/** Others are told of this share of the limit. */
const STEP = 1 / 1000;
/** In milliseconds: how often others are told of less than that. */
const TELL_MS = 100;
/** A store is counted when more writers than these have ended: then their objects go. */
const MOST_ENDED = 64;

export function spaceOf(store: Store, { now = Date.now, unwritten = () => 0 }: SpaceOptions = {}): Space {
  const own = ownAdded(store.objects);
  const sum = knownSum(store.objects, own);
  const counting = storeCounting(store, { own, sum, now, unwritten });
  let readAt = Number.NEGATIVE_INFINITY;
  let toldAt = Number.NEGATIVE_INFINITY;

  const isOld = ({ countedAt }: StoreCount) => Math.abs(now() - countedAt) > OLD_MS;

  async function learn(): Promise<void> {
    const added = await sum.learn();
    readAt = now();
    if (sum.count && endedTooMany(added) && counting.mayFollow(sum.count)) countAtLeisure();
  }

  async function recount(): Promise<number> {
    const total = await counting.recount();
    readAt = now();
    return total;
  }

  /** Nobody waits for it. */
  function countAtLeisure(): void {
    recount().catch(() => undefined);
  }

  async function used(): Promise<number> {
    if (counting.running && !sum.count) return await counting.running;
    if (!sum.count || Math.abs(now() - readAt) > READ_MS) await learn();
    if (!sum.count) return await recount();
    // Nobody waits for a walk through the store, as long as there is an older count.
    if (isOld(sum.count)) countAtLeisure();
    return Math.max(0, sum.total);
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
    get known() {
      return sum.count && Math.max(0, sum.total);
    },
    used,
    add,
    take: async (bytes, limit) => {
      await used();
      // Nothing is awaited between the look and the addition: several at a time do not exceed the limit together.
      if (sum.total + bytes > limit) return false;
      await add(bytes, limit);
      return true;
    },
    recount,
    recounted: async () => (sum.count && !counting.mayFollow(sum.count) ? await used() : await recount()),
  };
}

function endedTooMany(added: AddedBytes): boolean {
  return added.size > MOST_ENDED && endedWriters(added.keys()).length > MOST_ENDED;
}
