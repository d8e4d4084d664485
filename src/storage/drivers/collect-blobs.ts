// Deletes blobs that nobody uses, while others write and use blobs (the protocol is in blobs.ts). A blob's key is its digest, and is written again when the
// blob comes back. So the collector never deletes under that key: it moves the object aside, to a name of its own, looks whether the blob was used since it
// was seen, and deletes the object under that name, or moves it back without replacing what came meanwhile.
//
// A process that misses a blob and finds it put aside moves it back (put-back.ts). So nobody waits for a collector, and a killed collector loses nothing.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { ownIdentity } from '../../io/concurrency/process-identity.ts';
import { KEPT_MS, type StoredBlob } from '../blobs.ts';
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
  now: () => Date,
): Promise<readonly StoredBlob[]> {
  const isOld = (used: Date) => now().getTime() - used.getTime() >= KEPT_MS;
  const collected = await createLimiter(AT_ONCE).map(seen, async (blob) =>
    isOld(blob.used) && (await collectBlob(objects, blob, isOld)) ? [blob] : [],
  );
  return collected.flat();
}

async function collectBlob(
  objects: ObjectStore,
  { digest, version }: StoredBlob,
  isOld: (used: Date) => boolean,
): Promise<boolean> {
  const key = blobKey(digest);
  const isUnused = async (at: string) => {
    const used = await useOnRecord(objects, digest);
    // The stat comes last: a use between it and the move is noticed only after the blob has been put aside.
    return (used === undefined || isOld(used)) && (await objects.stat(at))?.version === version;
  };
  const mark = await objects.stat(markKey(digest));
  // A process that makes the blob durable now would sync nothing while the blob is aside, and remove the mark.
  if (mark) await objects.sync([key]);
  if (!(await isUnused(key))) return false;
  names += 1;
  const aside = asideKey(digest, `${ownIdentity()}.${names}`);
  if (!(await objects.move(key, aside))) return false;
  try {
    if (!(await isUnused(aside))) {
      await moveBack(objects, digest, aside);
      return false;
    }
    await objects.delete([aside]);
  } catch (error) {
    await moveBack(objects, digest, aside).catch(() => {});
    throw error;
  }
  // Somebody has moved it back, and perhaps used it on record, or has written it again.
  if (await objects.stat(key)) return false;
  await objects.delete([usedKey(digest), layerIndexKey(digest)]);
  if (mark) await removeLeftMark(objects, digest, mark.version);
  return true;
}
