// Gives verified bytes in a stage the name of a blob. Correct bytes replace wrong ones, whoever brings them. But bytes that are not on disk never replace others:
// they could do so between the sync of the old bytes and the removal of their mark.
import type { Digest } from '../../oci/digest.ts';
import type { Refer } from '../blobs.ts';
import { blobKey } from '../layout/registry-keys.ts';
import type { ObjectStore, Stage } from '../object-store/object-store.ts';
import type { ObjectInfo } from '../objects.ts';
import { markTurn, markUnsynced, removeMark } from './blob-marks.ts';
import { settledBlob } from './settle-blob.ts';

/**
 * Publishes the verified blob in the stage: it is on disk afterwards, and replaces what was there. All names are durable when it resolves, with one wait for
 * the disk.
 */
export async function publishBlob(objects: ObjectStore, stage: Stage, digest: Digest, refer?: Refer): Promise<void> {
  await stage.publish(blobKey(digest), { durable: refer ? 'bytes' : 'name' });
  if (refer) {
    // The blob's bytes are on disk already. What is left to sync is its name, and what refers to it.
    const written = await refer();
    await Promise.all([objects.sync([blobKey(digest)], { namesOnly: true }), objects.sync(written)]);
  }
  await removeMark(objects, digest);
}

/**
 * The same without waiting for the disk. An existing blob is hashed, and kept if it is correct. `recordUse` returns false if a collector has put that blob
 * aside.
 */
export async function publishUnsynced(
  objects: ObjectStore,
  stage: Stage,
  digest: Digest,
  recordUse: (stored: ObjectInfo) => Promise<boolean>,
): Promise<void> {
  if (!(await objects.stat(blobKey(digest))) && (await publishNew(objects, stage, digest))) return;
  const stored = await objects.stat(blobKey(digest));
  if (stored && (await recordUse(stored)) && (await settledBlob(objects, digest, 'certain'))) await stage.discard();
  else await publishBlob(objects, stage, digest);
}

async function publishNew(objects: ObjectStore, stage: Stage, digest: Digest): Promise<boolean> {
  // A collector may be about to remove the mark of the blob that was there before.
  await using _turn = await markTurn(objects, digest);
  await markUnsynced(objects, digest);
  return await stage.publish(blobKey(digest), { ifAbsent: true, durable: 'nothing' });
}
