// Deletes blobs that nobody uses, while others write and use blobs (the protocol is in blobs.ts). A blob's key is its digest, and is written again when the
// blob comes back. So the collector never deletes under that key: it moves the object aside, to a name of its own, looks whether the blob was used since it
// was seen, and deletes the object under that name, or moves it back without replacing what came meanwhile.
//
// Whoever misses a blob and finds it put aside moves it back (`putBack`). So nobody waits for a collector, and one that was killed leaves nothing lost.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { isAlive, ownIdentity } from '../../io/concurrency/process-identity.ts';
import type { Digest } from '../../oci/digest.ts';
import { type StoredBlob, USE_STEP_MS } from '../blobs.ts';
import { ASIDE, asideKey, asideOwner, blobKey, layerIndexKey, markKey, parseAsideName, usedKey } from '../layout.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { removeLeftMark } from './blob-trust.ts';
import { useOnRecord } from './blob-uses.ts';

/** Each waits for the file system: as many as Node has threads for, and some that queue. */
const AT_ONCE = 16;

let names = 0;

/** Returns those that were deleted; not those that were used or replaced since they were seen, or that others deleted. */
export async function collectBlobs(objects: ObjectStore, seen: readonly StoredBlob[]): Promise<readonly StoredBlob[]> {
  const collected = await createLimiter(AT_ONCE).map(seen, async (blob) =>
    (await collectBlob(objects, blob)) ? [blob] : [],
  );
  return collected.flat();
}

async function collectBlob(objects: ObjectStore, { digest, version }: StoredBlob): Promise<boolean> {
  const key = blobKey(digest);
  const isUnused = async (at: string) =>
    (await objects.stat(at))?.version === version && !(await isUsedOnRecord(objects, digest));
  if (!(await isUnused(key))) return false;
  const mark = await objects.stat(markKey(digest));
  names += 1;
  const aside = asideKey(digest, `${ownIdentity()}.${names}`);
  if (!(await objects.move(key, aside))) return false;
  if (!(await isUnused(aside))) {
    await objects.move(aside, key, { ifAbsent: true });
    return false;
  }
  await objects.delete([aside, usedKey(digest), layerIndexKey(digest)]);
  if (await objects.stat(key)) return false;
  if (mark) await removeLeftMark(objects, digest, mark.version);
  return true;
}

/** Moves a blob back that a collector has put aside, be it alive or killed. Returns false if there is none. */
export async function putBack(objects: ObjectStore, digest: Digest): Promise<boolean> {
  const names = (await objects.children(ASIDE)).filter((name) => parseAsideName(name) === digest);
  for (const name of names) await objects.move(`${ASIDE}${name}`, blobKey(digest), { ifAbsent: true });
  return names.length > 0;
}

/** Moves back what killed collectors have put aside. */
export async function putAllBack(objects: ObjectStore): Promise<void> {
  for (const name of await objects.children(ASIDE)) {
    const digest = parseAsideName(name);
    if (digest !== undefined && !isAlive(asideOwner(name)))
      await objects.move(`${ASIDE}${name}`, blobKey(digest), { ifAbsent: true });
  }
}

async function isUsedOnRecord(objects: ObjectStore, digest: Digest): Promise<boolean> {
  const used = await useOnRecord(objects, digest);
  return used !== undefined && Date.now() - used.getTime() < 2 * USE_STEP_MS;
}
