// Keeps what broken-off puts and uploads left within limits: in time, in number and in bytes. Looked after now and then by those who add to it.
import { isImagesError } from '../oci/errors.ts';
import type { ObjectStore } from './object-store.ts';

export interface ExpiryOptions {
  /** Uploads and partial blobs that nobody has written to for so long are removed; a week when absent. */
  readonly expireAfterMs?: number;
  /** About so many may wait for somebody who goes on with them: those that were written to last. 1000 when absent. */
  readonly mostUnfinished?: number;
  /** About so many bytes in all; 64 GiB when absent, and never more than a quarter of the file system. The one that was written to last stays whatever its size. */
  readonly unfinishedBytes?: number;
}

export interface Expiry {
  /** Before a stage is opened for something new. */
  begun(): Promise<void>;
  /** After bytes were left in a stage. */
  left(bytes: number): Promise<void>;
}

const WEEK_MS = 7 * 24 * 3600 * 1000;
const EVERY_MS = 3600 * 1000;
const MOST = 1000;
const MOST_BYTES = 64 * 2 ** 30;
/** Of the file system. */
const SHARE = 1 / 4;
/** Swept when so much of what is allowed has come since: the work for each of them stays the same, and what is there exceeds the limits by no more. */
const STEP = 1 / 4;

/** Sweeps when an hour has passed, or much was added. What may not be removed stays: that must not stop a write. */
export function expiry(objects: ObjectStore, options: ExpiryOptions): Expiry {
  const { expireAfterMs = WEEK_MS, mostUnfinished: most = MOST } = options;
  let doneAt = Number.NEGATIVE_INFINITY;
  let begun = 0;
  let left = 0;
  let bytes: number | undefined;
  /** The last that was left is more than is allowed: it goes as soon as there is a newer one. */
  let isLarge = false;

  async function sweep(): Promise<void> {
    const now = Date.now();
    [doneAt, begun, left] = [now, 0, 0];
    try {
      bytes ??= Math.min(options.unfinishedBytes ?? MOST_BYTES, await shareOf(objects));
      await objects.sweep({ before: new Date(now - expireAfterMs), most, bytes });
    } catch (error) {
      if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) throw error;
    }
  }

  return {
    begun: async () => {
      begun += 1;
      if (begun > most * STEP || Date.now() - doneAt > EVERY_MS) await sweep();
    },
    left: async (count) => {
      left += count;
      if (bytes === undefined) return;
      const wasLarge = isLarge;
      isLarge = count > bytes;
      if (wasLarge || left > bytes * STEP) await sweep();
    },
  };
}

async function shareOf(objects: ObjectStore): Promise<number> {
  const capacity = await objects.capacity();
  return capacity === undefined ? Number.POSITIVE_INFINITY : capacity * SHARE;
}
