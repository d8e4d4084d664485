// Limits what interrupted puts and uploads leave behind: by age, number and bytes. Checked from time to time when something is added. An upload that is being
// written is spared, because its bytes were acknowledged. To bound these as well, new bytes are refused while other uploads hold too much.
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Blobs } from '../blobs.ts';

export interface ExpiryOptions {
  /** Milliseconds without a write after which partial blobs are removed; default: a week. */
  readonly expireAfterMs?: number;
  /** The same for uploads; default: 50 minutes. */
  readonly uploadsExpireAfterMs?: number;
  /** About how many uploads and partial blobs may wait to be continued; those written to last stay. Default: 1000. */
  readonly mostUnfinished?: number;
  /** About how many bytes they may have together; default: 64 GiB, and never more than a quarter of the file system. The last one stays whatever its size. */
  readonly unfinishedBytes?: number;
  /** Milliseconds. What was begun or written to more recently stays, whatever the other limits; default: a minute. */
  readonly graceMs?: number;
}

export interface Expiry {
  /** To be called before a stage is opened for something new. */
  begun(): Promise<void>;
  /**
   * To be called before an upload that holds `own` bytes takes `more`, or before one begins. Errors: TOOMANYREQUESTS if the other uploads together hold more
   * than half of the file system. The upload itself does not count: one alone may have any size.
   */
  admit(own: number, more: number): Promise<void>;
  /** To be called after bytes were left in a stage. */
  left(bytes: number): Promise<void>;
  /** To be called after an upload of so many bytes was published or discarded. */
  ended(bytes: number): void;
}

/** In milliseconds. Clients that continue an upload do so within minutes; a download is continued when somebody wants the image again. */
const SESSION_MS = 50 * 60 * 1000;
const WEEK_MS = 7 * 24 * 3600 * 1000;
const EVERY_MS = 3600 * 1000;
const GRACE_MS = 60 * 1000;
const MOST = 1000;
const MOST_BYTES = 64 * 2 ** 30;
/** The share of the file system that unfinished bytes without an owner may have. */
const SHARE = 1 / 4;
/** The share of the file system that all unfinished bytes may have, including those that are spared. */
const LARGEST_SHARE = 1 / 2;
/** A sweep runs when this share of the limit has been added. So the cost of each addition stays constant, and the limits are exceeded by no more than this. */
const STEP = 1 / 4;
/** Milliseconds. Before an upload is refused the bytes are counted anew, because other processes end uploads, too; but not more often than this. */
const RECOUNT_MS = 1000;

/** Sweeps after an hour, or when much was added. Files that cannot be removed stay: they must not make a write fail. */
export function expiry(blobs: Pick<Blobs, 'sweep' | 'capacity'>, options: ExpiryOptions): Expiry {
  const {
    expireAfterMs = WEEK_MS,
    uploadsExpireAfterMs = SESSION_MS,
    mostUnfinished: most = MOST,
    graceMs = GRACE_MS,
  } = options;
  let doneAt = Number.NEGATIVE_INFINITY;
  let begun = 0;
  let left = 0;
  /** Unfinished bytes: as the last sweep counted them, plus what uploads of this process have changed since. */
  let held = 0;
  let limits: Limits | undefined;
  let sweeping: Promise<void> | undefined;

  /** Single-flight: whoever calls during a sweep waits for its end. */
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
      limits ??= await limitsOf(blobs, options);
      const spared = graceMs > 0 ? { spared: new Date(now - graceMs) } : {};
      held = await blobs.sweep({
        before: new Date(now - expireAfterMs),
        sessionsBefore: new Date(now - uploadsExpireAfterMs),
        most,
        bytes: limits.idle,
        ...spared,
      });
    } catch (error) {
      if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) throw error;
    }
  }

  /** Whether enough time has passed since the last sweep, which spared recent ones, for another to help. */
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
  /** For unfinished bytes without an owner. */
  readonly idle: number;
  /** For all that the other uploads hold. */
  readonly inUse: number;
}

async function limitsOf(blobs: Pick<Blobs, 'sweep' | 'capacity'>, options: ExpiryOptions): Promise<Limits> {
  const capacity = (await blobs.capacity()) ?? Number.POSITIVE_INFINITY;
  return {
    idle: Math.min(options.unfinishedBytes ?? MOST_BYTES, capacity * SHARE),
    inUse: capacity * LARGEST_SHARE,
  };
}

/** Removes uploads and partial blobs that are too old to be continued. To be called from time to time, also when nothing is added. Errors: NO_ACCESS, READ_ONLY. */
export async function sweepForgotten(blobs: Pick<Blobs, 'sweep'>): Promise<void> {
  const now = Date.now();
  await blobs.sweep({ before: new Date(now - WEEK_MS), sessionsBefore: new Date(now - SESSION_MS) });
}
