// One collection: what it is asked for, what it tells, and its steps.
import { setTimeout as delay } from 'node:timers/promises';
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Digest } from '../../oci/digest.ts';

export interface CollectionOptions extends CallOptions {
  /** Deletes nothing, and says what would go. */
  readonly dryRun?: boolean;
  /** Manifests that lost their last tag stay. */
  readonly keepUntagged?: boolean;
  /** In milliseconds: manifests that lost their last tag more recently stay. Default: 7 days. */
  readonly olderThanMs?: number;
  /** Called after each small step: it may wait, so that others are not disturbed. */
  readonly pause?: () => Promise<void>;
  readonly onEvent?: (event: CollectionEvent) => void;
}

export type CollectionEvent =
  | { readonly type: 'reading'; readonly repository: string }
  | { readonly type: 'deleting'; readonly blobs: number; readonly bytes: number };

export interface Collection {
  readonly manifests: readonly UntaggedRemoval[];
  /** Blobs that are gone, manifests among them. */
  readonly blobs: number;
  /** In bytes: the sizes of these blobs. */
  readonly bytes: number;
  /** Blobs that nothing names, and that somebody wrote or used within the last day. */
  readonly recent: { readonly blobs: number; readonly bytes: number };
  /** True if there may be more: one collection deletes so many blobs at most. */
  readonly isMore: boolean;
}

/** Manifests of one repository. */
export interface UntaggedRemoval {
  readonly repository: string;
  readonly digests: readonly Digest[];
}

export interface CollectionRun extends CollectionOptions {
  /** To be called after each small piece of work. Throws when the collection is to end. */
  readonly step: () => Promise<void>;
}

export function collectionRun(options: CollectionOptions): CollectionRun {
  const { pause, signal } = options;
  const step = async () => {
    signal?.throwIfAborted();
    // Without a pause, requests that wait in this process still get their turn.
    await (pause ? pause() : delay(0));
  };
  return { ...options, step };
}
