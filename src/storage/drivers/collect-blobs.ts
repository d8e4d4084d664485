// Deletes blobs that nobody uses, while others write and use blobs (the protocol is in blobs.ts). A blob's key is its digest, and is written again when the
// blob comes back. So the collector never deletes under that key: it moves the objects aside, each to a name of its own, looks whether the blobs were used since
// they were seen, and deletes the objects under these names, or moves them back without replacing what came meanwhile.
//
// A process that misses a blob and finds it put aside moves it back (put-back.ts). So nobody waits for a collector, and a killed collector loses nothing.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { ownIdentity } from '../../io/concurrency/process-identity.ts';
import type { Digest } from '../../oci/digest.ts';
import { type CollectOptions, KEPT_MS, type StoredBlob } from '../blobs.ts';
import { blobKey, markKey } from '../layout/registry-keys.ts';
import { asideKey, layerIndexKey, usedKey } from '../layout/store-keys.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { removeLeftMark } from './blob-marks.ts';
import { useOnRecord } from './blob-uses.ts';
import { moveBack } from './put-back.ts';

/** How many blobs are collected at once, each waiting for the file system: as many as Node has threads for, and some that queue. */
const AT_ONCE = 16;

let names = 0;

/** Returns those that were deleted; not those that were used within a day, used or replaced since they were seen, or that others deleted. */
export async function collectBlobs(
  objects: ObjectStore,
  seen: readonly StoredBlob[],
  { now, lastLook }: CollectOptions & { readonly now: () => Date },
): Promise<readonly StoredBlob[]> {
  const isOld = (used: Date) => now().getTime() - used.getTime() >= KEPT_MS;
  const limiter = createLimiter(AT_ONCE);
  const condemned: Condemned[] = [];
  try {
    const put = await limiter.map(seen, async (blob) => {
      const one = isOld(blob.used) ? await putAside(objects, blob, isOld) : undefined;
      if (one) condemned.push(one);
      return one ?? [];
    });
    const isKept = condemned.length > 0 ? await lastLook?.() : undefined;
    const collected = await limiter.map(put.flat(), async (one) =>
      (await isDeleted(objects, one, { isOld, isKept })) ? [one.blob] : [],
    );
    return collected.flat();
  } catch (error) {
    for (const { blob, aside } of condemned) await moveBack(objects, blob.digest, aside).catch(() => {});
    throw error;
  }
}

interface Condemned {
  readonly blob: StoredBlob;
  readonly aside: string;
  /** The version of its mark. */
  readonly mark: string | undefined;
}

/** Returns `undefined` for a blob that was used since it was seen, or that others put aside. */
async function putAside(
  objects: ObjectStore,
  blob: StoredBlob,
  isOld: (used: Date) => boolean,
): Promise<Condemned | undefined> {
  const { digest } = blob;
  const key = blobKey(digest);
  const mark = await objects.stat(markKey(digest));
  // A process that makes the blob durable now would sync nothing while the blob is aside, and remove the mark.
  if (mark) await objects.sync([key]);
  if (!(await isUnused(objects, blob, { at: key, isOld }))) return undefined;
  names += 1;
  const aside = asideKey(digest, `${ownIdentity()}.${names}`);
  return (await objects.move(key, aside)) ? { blob, aside, mark: mark?.version } : undefined;
}

interface LastLook {
  readonly isOld: (used: Date) => boolean;
  readonly isKept: ((digest: Digest) => boolean) | undefined;
}

async function isDeleted(
  objects: ObjectStore,
  { blob, aside, mark }: Condemned,
  { isOld, isKept }: LastLook,
): Promise<boolean> {
  const { digest } = blob;
  if (isKept?.(digest) || !(await isUnused(objects, blob, { at: aside, isOld }))) {
    await moveBack(objects, digest, aside);
    return false;
  }
  await objects.delete([aside]);
  // Somebody has moved it back, and perhaps used it on record, or has written it again.
  if (await objects.stat(blobKey(digest))) return false;
  await objects.delete([usedKey(digest), layerIndexKey(digest)]);
  if (mark !== undefined) await removeLeftMark(objects, digest, mark);
  return true;
}

async function isUnused(
  objects: ObjectStore,
  { digest, version }: StoredBlob,
  { at, isOld }: { readonly at: string; readonly isOld: (used: Date) => boolean },
): Promise<boolean> {
  const used = await useOnRecord(objects, digest);
  // Last, because a blob that is used after this is put aside in vain.
  return (used === undefined || isOld(used)) && (await objects.stat(at))?.version === version;
}
