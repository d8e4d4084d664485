// What was asked for and not here. It is counted in memory and written with others later, so that no request waits for it and nobody makes the disk busy; a crash loses
// what was not written yet.
import { isObject } from '../../oci/decode.ts';
import { isImagesError } from '../../oci/errors.ts';
import { MISSED_KEY } from '../layout/proxy-keys.ts';
import type { Objects } from '../objects.ts';
import { recordIn } from './pull-records.ts';

export interface MissedImage {
  /** As `lreg_preload` takes it. */
  readonly reference: string;
  /** The host for which it was asked; absent if none was named. */
  readonly host?: string;
  /** When it was asked for last, in ISO 8601. */
  readonly last: string;
  /** The address from which it was asked for last. */
  readonly asker: string;
  /** How often it was asked for. */
  readonly count: number;
}

/** Those that were asked for last stay. */
const MOST = 1000;

/** What was missed, as it was last written; that which was asked for last comes last. */
export async function missedImages(objects: Objects): Promise<readonly MissedImage[]> {
  const bytes = await objects.get(MISSED_KEY);
  const images = bytes && bytes.length > 0 ? recordIn(bytes, 'record of misses')?.images : undefined;
  return Array.isArray(images) ? images.flatMap((image) => decoded(image) ?? []) : [];
}

/** Forgets what was written. */
export async function forgetMissed(objects: Objects): Promise<void> {
  await objects.delete([MISSED_KEY]);
}

export interface MissCounts {
  count(miss: Omit<MissedImage, 'count' | 'last'>): void;
  /** Whether something waits to be written. */
  readonly isPending: boolean;
  /** Writes what was counted. What cannot be written is kept for the next time; on a read-only store it is dropped. */
  flush(objects: Objects): Promise<void>;
  /** Called when something waits to be written, and nothing did before. */
  onFirst: (() => void) | undefined;
}

/** Counts of misses, still in memory. */
export function missCounts(): MissCounts {
  let pending = new Map<string, MissedImage>();
  return {
    onFirst: undefined,
    count({ reference, asker, host }) {
      const { count = 0 } = pending.get(reference) ?? {};
      pending.delete(reference);
      pending.set(reference, {
        reference,
        ...(host !== undefined && { host }),
        last: new Date().toISOString(),
        asker,
        count: count + 1,
      });
      dropOldest(pending);
      if (pending.size === 1 && count === 0) this.onFirst?.();
    },
    get isPending() {
      return pending.size > 0;
    },
    flush: async (objects) => {
      if (pending.size === 0) return;
      const counted = pending;
      pending = new Map();
      try {
        const all = new Map((await missedImages(objects)).map((image) => [image.reference, image]));
        merge(all, counted);
        await objects.put(MISSED_KEY, Buffer.from(JSON.stringify({ images: [...all.values()] })), { volatile: true });
      } catch (error) {
        if (isImagesError(error, 'READ_ONLY', 'NO_ACCESS')) return;
        const since = pending;
        pending = counted;
        merge(pending, since);
        if (!isImagesError(error, 'NO_SPACE')) throw error;
      }
    },
  };
}

function merge(all: Map<string, MissedImage>, more: ReadonlyMap<string, MissedImage>): void {
  for (const [reference, image] of more) {
    const before = all.get(reference)?.count ?? 0;
    all.delete(reference);
    all.set(reference, { ...image, count: before + image.count });
  }
  dropOldest(all);
}

function dropOldest(images: Map<string, MissedImage>): void {
  for (const reference of images.keys()) {
    if (images.size <= MOST) return;
    images.delete(reference);
  }
}

function decoded(value: unknown): MissedImage | undefined {
  if (!isObject(value)) return undefined;
  const { reference, host, last, asker, count } = value;
  if (typeof reference !== 'string' || typeof last !== 'string' || typeof asker !== 'string') return undefined;
  return {
    reference,
    ...(typeof host === 'string' && { host }),
    last,
    asker,
    count: typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 1,
  };
}
