// One collection: what it is asked for, what it tells, and its steps.
import { setImmediate } from 'node:timers/promises';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { addAll } from '../../oci/add-all.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ExpiredTag, Retention } from './retention.ts';

/** How many files are looked at between two steps: a few milliseconds of work. */
export const STEP = 64;
/** As many as Node has threads for, and some that queue. */
export const AT_ONCE = 16;

export interface CollectionOptions extends CallOptions {
  /** Deletes nothing, and says what would go. */
  readonly dryRun?: boolean;
  /** Manifests that lost their last tag stay. */
  readonly keepUntagged?: boolean;
  /** Which tags go first. Default: none. */
  readonly retention?: Retention;
  /** In milliseconds: manifests that lost their last tag more recently stay. Default: 7 days. */
  readonly olderThanMs?: number;
  /** How many blobs one collection deletes at most: this bounds its memory. Default: 100,000. */
  readonly most?: number;
  /** Called after each small step: it may wait, so that others are not disturbed. */
  readonly pause?: () => Promise<void>;
  readonly onEvent?: (event: CollectionEvent) => void;
}

export type CollectionEvent =
  | { readonly type: 'reading'; readonly repository: string }
  /** `blobs`: how many blobs of the store have been looked at so far. */
  | { readonly type: 'looking'; readonly blobs: number }
  | { readonly type: 'deleting'; readonly blobs: number; readonly bytes: number };

export interface Collection {
  /** Tags that the rules of retention do not keep, and that are gone. */
  readonly tags: readonly ExpiredTag[];
  /** True if these tags are still there: this is a collection by schedule (`Retention.unasked`), and nobody has seen yet what the rules do. */
  readonly retentionWaits: boolean;
  readonly manifests: readonly RemovedManifest[];
  /** Blobs that are gone, manifests among them. */
  readonly blobs: number;
  /** In bytes: the sizes of these blobs. */
  readonly bytes: number;
  /** Blobs that nothing names, and that somebody wrote or used within the last day. */
  readonly recent: { readonly blobs: number; readonly bytes: number };
  /** True if there may be more garbage: one collection deletes at most `CollectionOptions.most` blobs. */
  readonly isMore: boolean;
  /** In ISO 8601: a long time of which the store knows nothing, and which does not count for what goes by age (store-time.ts). Told once. */
  readonly leap?: { readonly from: string; readonly to: string };
}

/** A manifest that lost its last tag. */
export interface RemovedManifest {
  readonly repository: string;
  readonly digest: Digest;
  /** `undefined` for a manifest that cannot be read. */
  readonly mediaType: string | undefined;
  /** The tags that it had, if they still exist: what a deleted tag was is not known any more. */
  readonly tags: readonly string[];
}

export interface CollectionRun extends CollectionOptions {
  /** To be called after each small piece of work. Throws when the collection is to end. */
  readonly step: () => Promise<void>;
}

export interface AgingRun extends CollectionRun {
  /** In milliseconds, for what goes by age. */
  readonly ageOf: (time: Date) => number;
}

/** Does `work` for all items, several at a time, with a step after each few. */
export async function inSteps<T, Result>(
  items: Iterable<T> | AsyncIterable<T>,
  { step }: Pick<CollectionRun, 'step'>,
  work: (item: T) => Promise<Result>,
): Promise<readonly Result[]> {
  const limiter = createLimiter(AT_ONCE);
  const results: Result[] = [];
  let batch: T[] = [];
  const flush = async () => {
    addAll(results, await limiter.map(batch, work));
    batch = [];
    await step();
  };
  for await (const item of items) {
    if (batch.push(item) >= STEP) await flush();
  }
  if (batch.length > 0) await flush();
  return results;
}

export function collectionRun(options: CollectionOptions): AgingRun {
  const { pause, signal } = options;
  const step = async () => {
    signal?.throwIfAborted();
    // Without a pause, requests that wait in this process still get their turn.
    await (pause ? pause() : setImmediate());
  };
  return { ...options, step, ageOf: (time) => Date.now() - time.getTime() };
}
