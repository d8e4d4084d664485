// Moves back a blob that a collector has put aside (collect-blobs.ts), for a process that misses it.
import { isAlive } from '../../io/concurrency/process-identity.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { blobKey } from '../layout/registry-keys.ts';
import { ASIDE, asideOwner, parseAsideName } from '../layout/store-keys.ts';
import type { ObjectStore } from '../object-store/object-store.ts';

/** Moves a blob back that a collector has put aside, be it alive or killed. Does nothing on a store that cannot be written to. */
export async function putBack(objects: ObjectStore, digest: Digest): Promise<void> {
  await moveAllBack(objects, (name) => parseAsideName(name) === digest);
}

/** Moves back what killed collectors have put aside. Does nothing on a store that cannot be written to. */
export async function putAllBack(objects: ObjectStore): Promise<void> {
  await moveAllBack(objects, (name) => !isAlive(asideOwner(name)));
}

async function moveAllBack(objects: ObjectStore, isMeant: (name: string) => boolean): Promise<void> {
  for (const name of await objects.children(ASIDE)) {
    const digest = parseAsideName(name);
    if (digest === undefined || !isMeant(name)) continue;
    try {
      await moveBack(objects, digest, `${ASIDE}${name}`);
    } catch (error) {
      if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) throw error;
    }
  }
}

/**
 * What was written under the blob's key meanwhile stays. What is there afterwards is on disk, bytes and name: somebody may have been told that the blob
 * which was aside is durable, and a build may have written another in its place without waiting for the disk.
 */
export async function moveBack(objects: ObjectStore, digest: Digest, aside: string): Promise<void> {
  const key = blobKey(digest);
  await objects.sync([aside, key]);
  if (await objects.move(aside, key, { ifAbsent: true })) await objects.sync([key]);
}
