// What the steps of a removal share: the store, the repository, and how its manifests are read.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { addAll } from '../../oci/add-all.ts';
import { type Digest, digestAlgorithm, digestOf } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { decodeManifest, MAX_MANIFEST_SIZE, type Manifest, rawManifest } from '../../oci/manifest.ts';
import type { RegistryStore } from '../store.ts';
import { wholeContent } from './read-blob.ts';

/** How many small files are read at once, each waiting for the disk: as many as Node has threads for, and some that queue. */
const READ_AT_ONCE = 16;
/** How many items are done between two steps. */
const STEP = 64;

export interface Removal extends CallOptions {
  readonly store: RegistryStore;
  readonly repository: string;
  /** Called after each few manifests that were read: it may wait, so that others are not disturbed. */
  readonly step?: () => Promise<void>;
}

/** Returns `undefined` for damaged manifests and for unknown kinds, which a volume of another registry may hold: they need nothing. */
export async function manifestOf(digest: Digest, removal: Removal): Promise<Manifest | undefined> {
  const { store, repository, call } = removalParts(removal);
  try {
    return decodeManifest(await store.stripped.getManifest(repository, digest, call));
  } catch (error) {
    if (isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'MANIFEST_INVALID', 'DIGEST_INVALID', 'UNSUPPORTED')) {
      return undefined;
    }
    throw error;
  }
}

export interface StoredManifest {
  readonly manifest?: Manifest;
  /** Its bytes are damaged or lost: what it needs is not known. */
  readonly isUnreadable: boolean;
}

/** As `manifestOf`, also a manifest whose link a power cut has emptied, and which a check of the store links again. */
export async function storedManifest(digest: Digest, removal: Removal): Promise<StoredManifest> {
  const manifest = await manifestOf(digest, removal);
  if (manifest) return { manifest, isUnreadable: false };
  const bytes = await wholeContent(removal.store.blobs, digest, MAX_MANIFEST_SIZE);
  if (!bytes || digestOf(bytes, digestAlgorithm(digest)) !== digest) return { isUnreadable: true };
  try {
    return { manifest: decodeManifest(rawManifest(bytes, undefined, digestAlgorithm(digest))), isUnreadable: false };
  } catch (error) {
    if (isImagesError(error, 'MANIFEST_INVALID', 'UNSUPPORTED')) return { isUnreadable: false };
    throw error;
  }
}

/** Does `work` for all items, several at a time, with a step after each few. */
export async function mapFiles<T, Result>(
  items: readonly T[],
  work: (item: T) => Promise<Result>,
  { step, signal }: Removal,
): Promise<readonly Result[]> {
  const limiter = createLimiter(READ_AT_ONCE);
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += STEP) {
    addAll(results, await limiter.map(items.slice(at, at + STEP), work, signal));
    await step?.();
  }
  return results;
}

export function removalParts({ store, repository, signal }: Removal): Pick<Removal, 'store' | 'repository'> & {
  readonly call: CallOptions;
} {
  return { store, repository, call: signal ? { signal } : {} };
}
