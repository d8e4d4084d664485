// Marks of blobs. A blob without a mark was verified and synced before it got its name, so it is trusted; a mark beside the blob says why it is not.
//
// The mark of a blob holds
//   BOOT              verified, but written without waiting for the disk, under this boot id. After another boot: doubtful
//   damaged VERSION   hashed, and different from the digest. If the object has another version now: doubtful
//   anything else     doubtful: a reader met wrong bytes, or a power cut has emptied the mark
//
// A mark that is written late, for a blob that has been repaired in between, only costs one more check.
import { bootId } from '../../io/concurrency/process-identity.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { blobKey, markKey } from '../layout/registry-keys.ts';
import { blobStageId, damagedKey } from '../layout/store-keys.ts';
import type { ObjectStore, Stage } from '../object-store/object-store.ts';
import { readObject } from '../object-store/read-object.ts';
import type { ObjectInfo } from '../objects.ts';
import { forgetMark, rememberMark, unwrittenMarks } from './unwritten-marks.ts';

export type Trust = 'whole' | 'unsynced' | 'doubtful' | 'damaged';

const WRONG = 'damaged ';

/** What the mark of a blob says, which is there in this version. */
export async function trustIn(objects: ObjectStore, digest: Digest, { version }: ObjectInfo): Promise<Trust> {
  const text = await markText(objects, digest, version);
  if (text === undefined) return 'whole';
  if (text === `${WRONG}${version}`) return 'damaged';
  return text !== '' && text === bootId() ? 'unsynced' : 'doubtful';
}

async function markText(objects: ObjectStore, digest: Digest, version: string): Promise<string | undefined> {
  const unwritten = unwrittenMarks(objects).get(digest);
  if (unwritten?.blob === version && unwritten.mark === (await objects.stat(markKey(digest)))?.version) {
    return unwritten.text;
  }
  const bytes = await readObject(objects, markKey(digest));
  return bytes && Buffer.from(bytes).toString();
}

/** To be called before the blob gets its name, because a blob without a mark is trusted; both are in the same folder. */
export async function markUnsynced(objects: ObjectStore, digest: Digest): Promise<void> {
  await objects.put(markKey(digest), Buffer.from(bootId() || 'unknown'), { volatile: true });
}

/** Marks a blob as doubtful, after a reader met wrong bytes: the next request for it hashes it. */
export async function doubtBlob(objects: ObjectStore, digest: Digest): Promise<void> {
  await mark(objects, digest, 'doubtful');
}

/** Marks a blob that was hashed in this version, and is wrong. */
export async function markDamaged(objects: ObjectStore, digest: Digest, { version }: ObjectInfo): Promise<void> {
  await mark(objects, digest, `${WRONG}${version}`);
}

/** Removes the mark of a blob that is on disk and was seen to be correct. */
export async function removeMark(objects: ObjectStore, digest: Digest): Promise<void> {
  forgetMark(objects, digest);
  if (!(await objects.stat(markKey(digest)))) return;
  if (await isWritten(() => objects.delete([markKey(digest), damagedKey(digest)]))) return;
  await remember(objects, digest, undefined);
}

/** Removes the mark, of this version, of a blob that a collector has deleted. */
export async function removeLeftMark(objects: ObjectStore, digest: Digest, version: string): Promise<void> {
  await using _turn = await markTurn(objects, digest);
  if (await objects.stat(blobKey(digest))) return;
  if ((await objects.stat(markKey(digest)))?.version === version) {
    await objects.delete([markKey(digest), damagedKey(digest)]);
  }
}

/** The lock of those who settle a doubt, remove a mark, or make one for a blob that comes after it. Does nothing on a store that cannot be written to, where no process can record anything. */
export async function markTurn(objects: ObjectStore, digest: Digest): Promise<AsyncDisposable> {
  let stage: Stage | undefined;
  await isWritten(async () => {
    stage = await objects.stage(`settle-${blobStageId(digest)}`);
  });
  return { [Symbol.asyncDispose]: async () => stage?.discard() };
}

async function mark(objects: ObjectStore, digest: Digest, text: string): Promise<void> {
  const write = async () => {
    await objects.put(damagedKey(digest), new Uint8Array(), { volatile: true });
    await objects.put(markKey(digest), Buffer.from(text));
  };
  if (await isWritten(write)) forgetMark(objects, digest);
  else await remember(objects, digest, text);
}

async function remember(objects: ObjectStore, digest: Digest, text: string | undefined): Promise<void> {
  const [blob, mark] = await Promise.all([objects.stat(blobKey(digest)), objects.stat(markKey(digest))]);
  if (blob) rememberMark(objects, digest, { text, blob: blob.version, mark: mark?.version });
}

/** Returns false if the store cannot be written to. */
export async function isWritten(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) throw error;
    return false;
  }
}
