// A limit on the bytes of all blobs and unfinished uploads of a store, over any driver. Reads and deletes go on when it is reached.
//
// The sum is not counted at each write: it is counted when it is an hour old, and all processes add to it (space.ts). What others add is known a moment later, so
// the limit may be exceeded by a little.
import { FORWARD, forwarding } from '../../registry/policies/forwarding.ts';
import type { Blobs } from '../blobs.ts';
import type { Store } from '../store.ts';
import { limitedSession } from './limited-session.ts';
import { limitedPut, limitedStart, limitedWrite } from './limited-writes.ts';
import { reservationsOf } from './reservations.ts';
import type { Space, SpaceOptions } from './space.ts';

export interface LimitedStore extends Store {
  readonly space: Space;
}

/** `limit` is asked by each write; `undefined`: there is no limit, and nothing is counted. Errors of writes: NO_SPACE. */
export function withQuota(
  store: Store,
  limit: () => Promise<number | undefined>,
  options: SpaceOptions = {},
): LimitedStore {
  const { blobs } = store;
  const quota = reservationsOf(store, limit, options);
  const limited = forwarding<Blobs>(blobs, {
    find: FORWARD,
    kept: FORWARD,
    use: FORWARD,
    read: FORWARD,
    readVerified: FORWARD,
    partial: FORWARD,
    sweep: FORWARD,
    capacity: FORWARD,
    doubt: FORWARD,
    damaged: FORWARD,
    check: FORWARD,
    all: FORWARD,
    write: limitedWrite(blobs, quota),
    put: limitedPut(blobs, quota),
    start: limitedStart(blobs, quota),
    session: async (id, options) => {
      // One that is begun in a full store is refused before any of its bytes are sent.
      if (!options?.mustExist) await quota.reserve(1).then(() => quota.release(1));
      const inner = await blobs.session(id, options);
      return inner && limitedSession(inner, quota);
    },
    collect: async (seen, options) => {
      const gone = await blobs.collect(seen, options);
      await quota.release(gone.reduce((sum, { size }) => sum + size, 0));
      return gone;
    },
  });
  return { objects: store.objects, blobs: limited, space: quota.space };
}
