// When a blob was last used: the time of its object. Only its owner, and root, can set the time of a file.
// Other users' processes write a record of the use instead (`usedKey`).
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { blobKey } from '../layout/registry-keys.ts';
import { usedKey } from '../layout/store-keys.ts';
import type { ObjectStore } from '../object-store/object-store.ts';

/**
 * Records that the blob is used now. Returns false, and records nothing, if it is not under its key: a collector may have put it aside. With `durable`, the
 * record survives a power cut. A store that nobody can write to has no collector.
 */
export async function recordUse(objects: ObjectStore, digest: Digest, durable: boolean): Promise<boolean> {
  let key = blobKey(digest);
  try {
    if (!(await objects.touch(key))) return false;
  } catch (error) {
    if (isImagesError(error, 'READ_ONLY')) return true;
    if (!isImagesError(error, 'NO_ACCESS')) throw error;
    key = usedKey(digest);
    if (!(await isPut(objects, key))) return true;
  }
  if (durable) await objects.sync([key]);
  return true;
}

/** When a process that could not set the blob's own time used it. */
export async function useOnRecord(objects: ObjectStore, digest: Digest): Promise<Date | undefined> {
  return (await objects.stat(usedKey(digest)))?.modified;
}

async function isPut(objects: ObjectStore, key: string): Promise<boolean> {
  try {
    return await objects.put(key, new Uint8Array(), { volatile: true });
  } catch (error) {
    if (!isImagesError(error, 'READ_ONLY', 'NO_ACCESS')) throw error;
    return false;
  }
}
