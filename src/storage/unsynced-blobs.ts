// Blobs that were written without waiting for the disk: a build that a power cut takes is made again. Each is marked before it is there; once the registry
// relies on it, it is synced. A mark of an earlier boot means that the machine went down meanwhile: nobody knows what the blob holds now.
import { bootId } from '../io/process-identity.ts';
import type { Digest } from '../oci/digest.ts';
import { blobKey, unsyncedKey } from './layout.ts';
import { readObject } from './links.ts';
import type { ObjectStore } from './object-store.ts';

/** Before the blob is published. */
export async function markUnsynced(objects: ObjectStore, digest: Digest): Promise<void> {
  await objects.put(unsyncedKey(digest), Buffer.from(bootId() || 'unknown'));
}

/** False for a blob that may have been lost: it is removed then, and counts as absent. */
export async function isUnharmed(objects: ObjectStore, digest: Digest): Promise<boolean> {
  return (await stateOf(objects, digest)) !== 'doubtful';
}

/** The same; what is unharmed is also durable when it returns. */
export async function settleBlob(objects: ObjectStore, digest: Digest): Promise<boolean> {
  const state = await stateOf(objects, digest);
  if (state !== 'unsynced') return state === 'durable';
  await objects.sync([blobKey(digest)]);
  await objects.delete([unsyncedKey(digest)]);
  return true;
}

async function stateOf(objects: ObjectStore, digest: Digest): Promise<'durable' | 'unsynced' | 'doubtful'> {
  const mark = await readObject(objects, unsyncedKey(digest));
  if (!mark) return 'durable';
  if (Buffer.from(mark).toString() === bootId()) return 'unsynced';
  await objects.delete([blobKey(digest)]);
  await objects.delete([unsyncedKey(digest)]);
  return 'doubtful';
}
