// Removes what broken-off puts and uploads left and nobody came back for. Looked after now and then by those who add to it.
import { isImagesError } from '../oci/errors.ts';
import type { ObjectStore } from './object-store.ts';

export interface ExpiryOptions {
  /** Uploads and partial blobs that nobody has written to for so long are removed; a week when absent. */
  readonly expireAfterMs?: number;
}

const WEEK_MS = 7 * 24 * 3600 * 1000;
const EVERY_MS = 3600 * 1000;

/** A function that sweeps when it was not done for an hour. What may not be removed stays: that must not stop a write. */
export function expiry(objects: ObjectStore, options: ExpiryOptions): () => Promise<void> {
  let doneAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const now = Date.now();
    if (now - doneAt < EVERY_MS) return;
    doneAt = now;
    try {
      await objects.sweep(new Date(now - (options.expireAfterMs ?? WEEK_MS)));
    } catch (error) {
      if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) throw error;
    }
  };
}
