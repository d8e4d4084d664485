// Which blobs of the store can be trusted to match their digests. A blob without a mark was verified and synced before it got its name, so it is trusted.
// A mark beside the blob says why it is not. A doubtful blob is hashed once, and the result becomes its mark; nothing is removed. Correct bytes replace wrong
// ones, whoever brings them.
//
// The mark of a blob holds
//   BOOT              verified, but written without waiting for the disk, under this boot id. After another boot: doubtful
//   damaged VERSION   hashed, and different from the digest. If the object has another version now: doubtful
//   anything else     doubtful: a reader met wrong bytes, or a power cut has emptied the mark
//
// Several processes may work at once. So unsynced bytes never replace others (`publishUnsynced`): they could do so between the sync of the old bytes and the
// removal of their mark. A mark that is written late, for a blob that has been repaired in between, only costs one more check.
import { bootId } from '../../io/concurrency/process-identity.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { tapped, verified } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digester, isDigest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { CheckedBlob, ReadPace, Refer } from '../blobs.ts';
import { blobKey, blobStageId, DAMAGED_PREFIX, damagedKey, markKey } from '../layout.ts';
import type { ObjectStore, Stage } from '../object-store/object-store.ts';
import { readObject } from '../object-store/read-object.ts';
import type { ObjectInfo } from '../objects.ts';
import { forgetMark, rememberMark, unwrittenMarks } from './unwritten-marks.ts';

type Blob = Pick<Descriptor, 'digest' | 'size'>;
type Trust = 'whole' | 'unsynced' | 'doubtful' | 'damaged';

const WRONG = 'damaged ';

/** The blob if it is there and not known to be damaged; `undefined` counts as absent. A doubtful blob is hashed first. */
export async function wholeBlob(objects: ObjectStore, digest: Digest): Promise<ObjectInfo | undefined> {
  return await looked(objects, digest, async () => {});
}

/** The same, and the blob is durable when it resolves, so that a repository may rely on it. */
export async function durableBlob(objects: ObjectStore, digest: Digest): Promise<ObjectInfo | undefined> {
  return await looked(objects, digest, async (trust) => {
    if (trust === 'unsynced') {
      await using _turn = await turn(objects, digest);
      await makeDurable(objects, digest);
    } else {
      // The bytes are on disk, but the name may not be, if another process has just made it, or was killed then.
      await objects.sync([blobKey(digest)], { namesOnly: true });
    }
  });
}

async function looked(
  objects: ObjectStore,
  digest: Digest,
  relyOn: (trust: 'whole' | 'unsynced') => Promise<void>,
): Promise<ObjectInfo | undefined> {
  const stored = await objects.stat(blobKey(digest));
  if (!stored) return undefined;
  const trust = await trustIn(objects, digest, stored);
  if (trust === 'doubtful') return await settledOnce(objects, digest);
  if (trust === 'damaged') return undefined;
  await relyOn(trust);
  return stored;
}

/**
 * Publishes the verified blob in the stage: it is on disk afterwards, and replaces what was there. All names are durable when it resolves, with one wait for
 * the disk.
 */
export async function publishBlob(objects: ObjectStore, stage: Stage, digest: Digest, refer?: Refer): Promise<void> {
  await stage.publish(blobKey(digest), { durable: refer ? 'bytes' : 'name' });
  if (refer) {
    // The blob's bytes are on disk already: its name is left, and what refers to it.
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
  if (stored && (await recordUse(stored)) && (await settled(objects, digest, 'certain'))) await stage.discard();
  else await publishBlob(objects, stage, digest);
}

async function publishNew(objects: ObjectStore, stage: Stage, digest: Digest): Promise<boolean> {
  // A collector may be about to remove the mark of the blob that was there before.
  const isMarked = (await objects.stat(markKey(digest))) !== undefined;
  await using _turn = isMarked ? await turn(objects, digest) : undefined;
  // The mark is written before the blob and in the same folder, because a blob without a mark is trusted.
  await objects.put(markKey(digest), Buffer.from(bootId() || 'unknown'), { volatile: true });
  return await stage.publish(blobKey(digest), { ifAbsent: true, durable: 'nothing' });
}

/** Removes the mark, of this version, of a blob that a collector has deleted. */
export async function removeLeftMark(objects: ObjectStore, digest: Digest, version: string): Promise<void> {
  await using _turn = await turn(objects, digest);
  if (await objects.stat(blobKey(digest))) return;
  if ((await objects.stat(markKey(digest)))?.version === version) {
    await objects.delete([markKey(digest), damagedKey(digest)]);
  }
}

/** Marks a blob as doubtful, after a reader met wrong bytes: the next request for it hashes it. */
export async function doubtBlob(objects: ObjectStore, digest: Digest): Promise<void> {
  await mark(objects, digest, 'doubtful');
}

/** Removes the mark of a blob that is on disk and was seen to be correct. */
export async function removeMark(objects: ObjectStore, digest: Digest): Promise<void> {
  forgetMark(objects, digest);
  if (!(await objects.stat(markKey(digest)))) return;
  if (await isWritten(() => objects.delete([markKey(digest), damagedKey(digest)]))) return;
  await remember(objects, digest, undefined);
}

/**
 * Hashes the blob, whatever its mark says, and records the result. No lock is held meanwhile, because it may take long: nobody waits for it.
 * Returns `undefined` if there is no such blob (any more).
 */
export async function checkBlob(
  objects: ObjectStore,
  digest: Digest,
  pace?: ReadPace,
): Promise<CheckedBlob | undefined> {
  const stored = await objects.stat(blobKey(digest));
  if (!stored) return undefined;
  const found = await hashOf(objects, digest, pace);
  if (found === undefined) return undefined;
  const isRight = found === digest;
  if (isRight && (await trustIn(objects, digest, stored)) === 'whole') return 'whole';
  await using _turn = await turn(objects, digest);
  const now = await objects.stat(blobKey(digest));
  if (now?.version !== stored.version) {
    // Others have used, replaced or collected it meanwhile.
    if (!isRight && !(await settledInTurn(objects, digest, 'certain'))) return now && 'damaged';
    return now && 'whole';
  }
  if (isRight) await makeDurable(objects, digest);
  else await mark(objects, digest, `${WRONG}${stored.version}`);
  return isRight ? 'whole' : 'damaged';
}

/** The blobs that are known to be damaged. */
export async function damagedBlobs(objects: ObjectStore): Promise<ReadonlySet<Digest>> {
  const damaged = new Set<Digest>();
  for (const digest of [...unwrittenMarks(objects).keys()]) {
    if (!(await wholeBlob(objects, digest))) damaged.add(digest);
  }
  for (const algorithm of await objects.children(DAMAGED_PREFIX)) {
    for (const hex of await objects.children(`${DAMAGED_PREFIX}${algorithm}`)) {
      const digest = `${algorithm.slice(0, -1)}:${hex}`;
      if (isDigest(digest) && !(await wholeBlob(objects, digest))) damaged.add(digest);
    }
  }
  return damaged;
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

/** The whole blob, verified while it is read. If it is wrong, that is recorded. Returns `undefined` if there is no such blob. Errors: DIGEST_INVALID, SIZE_INVALID. */
export async function readVerified(objects: ObjectStore, blob: Blob): Promise<Bytes | undefined> {
  const body = await objects.get(blobKey(blob.digest));
  return body && doubting(objects, blob, verified(body, blob));
}

function doubting(objects: ObjectStore, { digest }: Blob, body: Bytes): Bytes {
  const ignore = () => {};
  return tapped(body, ignore, async (error) => {
    const isWrong = isImagesError(error, 'DIGEST_INVALID', 'SIZE_INVALID') || isLostOnDisk(error);
    if (isWrong) await doubtBlob(objects, digest);
  });
}

async function trustIn(objects: ObjectStore, digest: Digest, { version }: ObjectInfo): Promise<Trust> {
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

const settling = new WeakMap<ObjectStore, Map<Digest, Promise<ObjectInfo | undefined>>>();

/** Single-flight within this process, because on a store that cannot be written to there is no lock between processes. */
function settledOnce(objects: ObjectStore, digest: Digest): Promise<ObjectInfo | undefined> {
  const all = settling.get(objects) ?? new Map<Digest, Promise<ObjectInfo | undefined>>();
  settling.set(objects, all);
  const running = all.get(digest) ?? settled(objects, digest).finally(() => all.delete(digest));
  all.set(digest, running);
  return running;
}

/** Hashes a doubtful blob (any blob with `certain`) and records the result. Under a lock, so that it is done once. */
async function settled(objects: ObjectStore, digest: Digest, certain?: 'certain'): Promise<ObjectInfo | undefined> {
  await using _turn = await turn(objects, digest);
  return await settledInTurn(objects, digest, certain);
}

async function settledInTurn(
  objects: ObjectStore,
  digest: Digest,
  certain?: 'certain',
): Promise<ObjectInfo | undefined> {
  const stored = await objects.stat(blobKey(digest));
  if (!stored) return undefined;
  const trust = await trustIn(objects, digest, stored);
  if (trust === 'damaged') return undefined;
  if (trust === 'whole' && !certain) return stored;
  const found = await hashOf(objects, digest);
  if (found === undefined) return undefined;
  if (found === digest) {
    if (trust !== 'whole') await makeDurable(objects, digest);
    return stored;
  }
  await mark(objects, digest, `${WRONG}${stored.version}`);
  return undefined;
}

/** Takes the lock; does nothing on a store that cannot be written to, where no process can record anything. */
async function turn(objects: ObjectStore, digest: Digest): Promise<AsyncDisposable> {
  let stage: Stage | undefined;
  await isWritten(async () => {
    stage = await objects.stage(`settle-${blobStageId(digest)}`);
  });
  return { [Symbol.asyncDispose]: async () => stage?.discard() };
}

/** `undefined` if a collector has just put the blob aside, which says nothing about its bytes; `lost` if the disk does not give them. */
async function hashOf(objects: ObjectStore, digest: Digest, pace?: ReadPace): Promise<Digest | 'lost' | undefined> {
  const algorithm = digestAlgorithm(digest);
  const hash = digester(algorithm);
  try {
    const body = await objects.get(blobKey(digest));
    if (!body) return undefined;
    for await (const chunk of body) {
      hash.update(chunk);
      const wait = pace?.(chunk.length);
      if (wait) await wait;
    }
  } catch (error) {
    if (isLostOnDisk(error)) return 'lost';
    throw error;
  }
  return `${algorithm}:${hash.digest('hex')}`;
}

/** Whether the disk cannot give the bytes, or the file system's own checksum says that they are wrong. */
function isLostOnDisk(error: unknown): boolean {
  return isFsError(error, 'EIO', 'EBADMSG', 'EUCLEAN');
}

/**
 * To be called under the lock. The mark stays if this blob was collected meanwhile: perhaps it belongs to another blob by now, whose bytes are not on disk.
 * A mark too many only costs one more check.
 */
async function makeDurable(objects: ObjectStore, digest: Digest): Promise<void> {
  const versions = async () => {
    const [mark, blob] = [await objects.stat(markKey(digest)), await objects.stat(blobKey(digest))];
    return blob && `${mark?.version} ${blob.version}`;
  };
  const before = await versions();
  await objects.sync([blobKey(digest)]);
  if (before !== undefined && (await versions()) === before) await removeMark(objects, digest);
}

/** Returns false if the store cannot be written to. */
async function isWritten(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) throw error;
    return false;
  }
}
