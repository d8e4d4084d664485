// Computes the progress of a copy from its events. Times are given by the caller, in milliseconds. Pure.
import type { CopyEvent } from '../../copy/events.ts';
import type { Digest } from '../../oci/digest.ts';

export interface Snapshot {
  /** Bytes of layers compressed so far, until there is a plan. */
  readonly compressing?: number;
  readonly images: number;
  readonly imagesDone: number;
  /** Bytes to fetch in this run; `fetched` is the part fetched so far. */
  readonly bytes: number;
  readonly fetched: number;
  /** Bytes per second over the last few seconds; `undefined` until there is enough data. */
  readonly rate?: number;
  /** In seconds; `undefined` until there is enough data. */
  readonly remaining?: number;
  /** Active blobs, in the order in which they began. */
  readonly blobs: readonly BlobProgress[];
}

export interface BlobProgress {
  readonly digest: Digest;
  readonly size: number;
  readonly bytes: number;
}

export interface Progress {
  apply(event: CopyEvent, now: number): void;
  snapshot(now: number): Snapshot;
}

const WINDOW_MS = 5000;
const SAMPLE_MS = 200;

export function createProgress(): Progress {
  let images = 0;
  let imagesDone = 0;
  let bytes = 0;
  let fetched = 0;
  let compressing: number | undefined;
  const blobs = new Map<Digest, BlobProgress>();
  const samples: { readonly at: number; readonly fetched: number }[] = [];

  const sample = (now: number) => {
    const last = samples.at(-1);
    if (last && now - last.at < SAMPLE_MS) return;
    samples.push({ at: now, fetched });
    while (samples.length > 2 && now - (samples[0]?.at ?? now) > WINDOW_MS) samples.shift();
  };

  return {
    apply(event, now) {
      sample(now);
      switch (event.type) {
        case 'compressing':
          compressing = event.bytes;
          break;
        case 'plan':
          compressing = undefined;
          images = event.images;
          bytes = event.bytes;
          break;
        case 'blob':
          // The blob is resumed after a failure: the bytes beyond `from` are fetched again.
          fetched -= Math.max(0, (blobs.get(event.digest)?.bytes ?? 0) - event.from);
          blobs.set(event.digest, { digest: event.digest, size: event.size, bytes: event.from });
          break;
        case 'progress': {
          const blob = blobs.get(event.digest);
          if (!blob) break;
          fetched += event.bytes - blob.bytes;
          blobs.set(event.digest, { ...blob, bytes: event.bytes });
          break;
        }
        case 'blob-done':
          blobs.delete(event.digest);
          break;
        case 'image-done':
        case 'image-failed':
          imagesDone++;
          break;
        default:
      }
    },
    snapshot(now) {
      const first = samples[0];
      const seconds = first ? (now - first.at) / 1000 : 0;
      const rate = first && seconds >= 0.5 ? (fetched - first.fetched) / seconds : undefined;
      const known = rate !== undefined && rate > 0;
      return {
        ...(compressing !== undefined && { compressing }),
        images,
        imagesDone,
        bytes,
        fetched,
        ...(known && { rate, remaining: Math.max(0, bytes - fetched) / rate }),
        blobs: [...blobs.values()],
      };
    },
  };
}
