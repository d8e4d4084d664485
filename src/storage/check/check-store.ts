// Checks a store: hashes all blobs, then looks at what leads to them. Damage that is found is marked at once, so that it is served no more.
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Digest } from '../../oci/digest.ts';
import type { RegistryStore } from '../store.ts';
import { checkBlobs } from './check-blobs.ts';
import { type CheckOrigin, readPosition, saveLastCheck, savePosition } from './check-record.ts';
import { findFaults, type StoreFaults } from './find-faults.ts';
import { incompleteImages } from './findings.ts';
import { type PaceOptions, steadyPace } from './pace.ts';

export interface CheckOptions extends PaceOptions, CallOptions {
  /** Default: asked. */
  readonly origin?: CheckOrigin;
  /** Counts all blobs first, for the event `total`. */
  readonly counted?: boolean;
  /** Begins anew, although an earlier check of the same origin did not finish. */
  readonly restart?: boolean;
  /** Only these blobs and repositories; nothing is remembered of such a check. */
  readonly only?: { readonly digests: ReadonlySet<Digest>; readonly repositories: readonly string[] };
  /** As in `StoreFaultsOptions`. */
  readonly youngMs?: number;
  /** As in `StoreFaultsOptions`. */
  readonly betweenMs?: number;
  readonly onEvent?: (event: CheckEvent) => void;
}

export type CheckEvent =
  /** An earlier check had come so far. */
  | { readonly type: 'resumed'; readonly since: Date; readonly blobs: number; readonly bytes: number }
  /** Once they are counted. */
  | { readonly type: 'total'; readonly blobs: number; readonly bytes: number }
  | { readonly type: 'blobs'; readonly blobs: number; readonly bytes: number }
  | { readonly type: 'damaged'; readonly digest: Digest }
  | { readonly type: 'links'; readonly repository: string };

export interface StoreCheck extends StoreFaults {
  /** Blobs that were hashed, in this run and in the earlier one that it went on with. */
  readonly blobs: number;
  /** In bytes. */
  readonly bytes: number;
}

const DAY_MS = 24 * 3600 * 1000;
/** In milliseconds from its beginning: so long an interrupted check goes on; later it begins anew. One by schedule is slow, and the machine may run by day alone. */
const RESUMED_MS: Readonly<Record<CheckOrigin, number>> = { asked: 7 * DAY_MS, scheduled: 28 * DAY_MS };
/** In milliseconds: how often it is remembered how far it came. */
const SAVED_MS = 2000;

/** Errors: NO_ACCESS, the signal's reason: what was checked until then is remembered. */
export async function checkStore(store: RegistryStore, options: CheckOptions = {}): Promise<StoreCheck> {
  const { origin = 'asked', only, onEvent, signal } = options;
  const now = Date.now();
  const isResumable = !only && !options.restart;
  const oldest = new Date(now - RESUMED_MS[origin]);
  const position = isResumable ? await readPosition(store.objects, origin, oldest) : undefined;
  if (position) onEvent?.({ type: 'resumed', ...position });
  if (options.counted && !only) onEvent?.({ type: 'total', ...(await sizeOf(store, options)) });
  const since = position?.since ?? new Date(now);
  let { blobs, bytes } = position ?? { blobs: 0, bytes: 0 };
  let saved = now;
  const steady = steadyPace(options);
  let read = 0;
  const pace = (more: number) => {
    read += more;
    onEvent?.({ type: 'blobs', blobs, bytes: (position?.bytes ?? 0) + read });
    return steady(more);
  };
  let done:
    | { readonly since: Date; readonly after: Digest; readonly blobs: number; readonly bytes: number }
    | undefined;
  const remember = async () => {
    if (done && !only) await savePosition(store.objects, origin, done);
  };
  try {
    await checkBlobs(store.blobs, {
      pace,
      ...(only && { only: only.digests }),
      ...(position && { after: position.after }),
      ...(signal && { signal }),
      onBlob: ({ digest, size }, state) => {
        if (state === 'damaged') onEvent?.({ type: 'damaged', digest });
        blobs += 1;
        bytes += size;
        done = { since, after: digest, blobs, bytes };
        if (Date.now() - saved < SAVED_MS) return undefined;
        saved = Date.now();
        return remember();
      },
    });
  } catch (error) {
    await remember();
    throw error;
  }
  await remember();
  const faults = await findFaults(store, {
    ...options,
    ...(only && { repositories: only.repositories }),
    onRepository: (repository) => onEvent?.({ type: 'links', repository }),
  });
  if (!only) {
    const { length: findings } = faults.findings;
    const images = incompleteImages(faults).length;
    await saveLastCheck(store.objects, { by: origin, since, finished: new Date(), blobs, bytes, findings, images });
  }
  return { ...faults, blobs, bytes };
}

async function sizeOf({ blobs }: RegistryStore, { signal }: CallOptions): Promise<{ blobs: number; bytes: number }> {
  const sum = { blobs: 0, bytes: 0 };
  for await (const { size } of blobs.all()) {
    signal?.throwIfAborted();
    sum.blobs += 1;
    sum.bytes += size;
  }
  return sum;
}
