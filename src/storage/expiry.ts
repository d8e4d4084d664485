// Keeps what broken-off puts and uploads left within limits: in time, in number and in bytes. Looked after now and then by those who add to it. An upload that
// is being written is spared, because its bytes were acknowledged; so that this has an end too, new bytes are refused where others hold too much.
import { ImagesError, isImagesError } from '../oci/errors.ts';
import type { ObjectStore } from './object-store.ts';

export interface ExpiryOptions {
  /** Uploads and partial blobs that nobody has written to for so long are removed; a week when absent. */
  readonly expireAfterMs?: number;
  /** About so many may wait for somebody who goes on with them: those that were written to last. 1000 when absent. */
  readonly mostUnfinished?: number;
  /** About so many bytes in all; 64 GiB when absent, and never more than a quarter of the file system. The one that was written to last stays whatever its size. */
  readonly unfinishedBytes?: number;
  /** What was begun or written to in the last so many milliseconds stays, whatever number and bytes come to; a minute when absent. */
  readonly graceMs?: number;
}

export interface Expiry {
  /** Before a stage is opened for something new. */
  begun(): Promise<void>;
  /**
   * Before an upload that holds `own` bytes takes `more`, or before one is begun. Errors: TOOMANYREQUESTS, where the others together hold more than
   * half of the file system. It does not count itself: one alone may have any size.
   */
  admit(own: number, more: number): Promise<void>;
  /** After bytes were left in a stage. */
  left(bytes: number): Promise<void>;
  /** After an upload of so many bytes was published or discarded. */
  ended(bytes: number): void;
}

const WEEK_MS = 7 * 24 * 3600 * 1000;
const EVERY_MS = 3600 * 1000;
const GRACE_MS = 60 * 1000;
const MOST = 1000;
const MOST_BYTES = 64 * 2 ** 30;
/** Of the file system. */
const SHARE = 1 / 4;
/** Of the file system, with what is spared. */
const LARGEST_SHARE = 1 / 2;
/** Swept when so much of what is allowed has come since: the work for each of them stays the same, and what is there exceeds the limits by no more. */
const STEP = 1 / 4;
/** Before somebody is refused it is counted anew, because others end uploads too; but not for each who is refused. */
const RECOUNT_MS = 1000;

/** Sweeps when an hour has passed, or much was added. What may not be removed stays: that must not stop a write. */
export function expiry(objects: ObjectStore, options: ExpiryOptions): Expiry {
  const { expireAfterMs = WEEK_MS, mostUnfinished: most = MOST, graceMs = GRACE_MS } = options;
  let doneAt = Number.NEGATIVE_INFINITY;
  let begun = 0;
  let left = 0;
  /** Bytes that are unfinished: as the last sweep found them, with what uploads of this process have done since. */
  let held = 0;
  let limits: Limits | undefined;
  let sweeping: Promise<void> | undefined;

  /** One at a time: whoever comes while it runs waits for its end. */
  function sweep(): Promise<void> {
    sweeping ??= sweepNow().finally(() => {
      sweeping = undefined;
    });
    return sweeping;
  }

  async function sweepNow(): Promise<void> {
    const now = Date.now();
    [doneAt, begun, left] = [now, 0, 0];
    try {
      limits ??= await limitsOf(objects, options);
      const spared = graceMs > 0 ? { spared: new Date(now - graceMs) } : {};
      held = await objects.sweep({ before: new Date(now - expireAfterMs), most, bytes: limits.idle, ...spared });
    } catch (error) {
      if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) throw error;
    }
  }

  /** Since the last sweep, which has spared it. */
  const hasIdledLong = () => limits !== undefined && held > limits.idle && Date.now() - doneAt > graceMs;
  const isFull = (own: number) => limits !== undefined && held - own > limits.inUse;

  return {
    begun: async () => {
      begun += 1;
      if (begun > most * STEP || Date.now() - doneAt > EVERY_MS || hasIdledLong()) await sweep();
    },
    admit: async (own, more) => {
      if (!limits) await sweep();
      held += more;
      if (!isFull(own + more)) return;
      if (Date.now() - doneAt > RECOUNT_MS) await sweep();
      if (!isFull(own + more)) return;
      held -= more;
      throw new ImagesError('TOOMANYREQUESTS', 'too much is uploaded at once and not ended: try again', {
        hint: 'End or cancel uploads: those that nobody goes on with give way after a minute.',
      });
    },
    left: async (count) => {
      left += count;
      if (limits && (left > limits.idle * STEP || hasIdledLong())) await sweep();
    },
    ended: (bytes) => {
      held = Math.max(0, held - bytes);
    },
  };
}

/** In bytes. */
interface Limits {
  /** Of what nobody uses. */
  readonly idle: number;
  /** Of all that others than the one who writes have begun. */
  readonly inUse: number;
}

async function limitsOf(objects: ObjectStore, options: ExpiryOptions): Promise<Limits> {
  const capacity = (await objects.capacity()) ?? Number.POSITIVE_INFINITY;
  return {
    idle: Math.min(options.unfinishedBytes ?? MOST_BYTES, capacity * SHARE),
    inUse: capacity * LARGEST_SHARE,
  };
}
