// Doubt about a blob is settled by hashing it, once; the result becomes its mark (blob-marks). Nothing is removed.
import { isFsError } from '../../io/files/fs-errors.ts';
import { type Digest, digestAlgorithm, digester } from '../../oci/digest.ts';
import type { CheckedBlob, ReadPace } from '../blobs.ts';
import { blobKey, markKey } from '../layout/registry-keys.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { ObjectInfo } from '../objects.ts';
import { markDamaged, markTurn, removeMark, trustIn } from './blob-marks.ts';

const settling = new WeakMap<ObjectStore, Map<Digest, Promise<ObjectInfo | undefined>>>();

/**
 * Hashes a doubtful blob and records the result; `undefined` if it is damaged, or not there. Single-flight within this process, because on a store that cannot be
 * written to there is no lock between processes.
 */
export function settledOnce(objects: ObjectStore, digest: Digest): Promise<ObjectInfo | undefined> {
  const all = settling.get(objects) ?? new Map<Digest, Promise<ObjectInfo | undefined>>();
  settling.set(objects, all);
  const running = all.get(digest) ?? settledBlob(objects, digest).finally(() => all.delete(digest));
  all.set(digest, running);
  return running;
}

/** The same, under a lock between processes, so that a blob is hashed once. With `certain`, also a blob that is not in doubt is hashed. */
export async function settledBlob(
  objects: ObjectStore,
  digest: Digest,
  certain?: 'certain',
): Promise<ObjectInfo | undefined> {
  await using _turn = await markTurn(objects, digest);
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
  const found = await hashOf(objects, digest, stored);
  if (found === undefined) return undefined;
  if (found === digest) {
    if (trust !== 'whole') await makeDurable(objects, digest);
    return stored;
  }
  await markDamaged(objects, digest, stored);
  return undefined;
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
  const found = await hashOf(objects, digest, stored, pace);
  if (found === undefined) return undefined;
  const isRight = found === digest;
  if (isRight && (await trustIn(objects, digest, stored)) === 'whole') return 'whole';
  await using _turn = await markTurn(objects, digest);
  const now = await objects.stat(blobKey(digest));
  if (now?.version !== stored.version) {
    // Others have used, replaced or collected it meanwhile.
    if (!isRight && !(await settledInTurn(objects, digest, 'certain'))) return now && 'damaged';
    return now && 'whole';
  }
  if (isRight) await makeDurable(objects, digest);
  else await markDamaged(objects, digest, stored);
  return isRight ? 'whole' : 'damaged';
}

/** In bytes: handing a smaller blob to a thread would cost as much as hashing it. */
const LARGE = 1024 * 1024;

/** `undefined` if a collector has just put the blob aside, which says nothing about its bytes; `lost` if they are unreadable. */
async function hashOf(
  objects: ObjectStore,
  digest: Digest,
  { size }: ObjectInfo,
  pace?: ReadPace,
): Promise<Digest | 'lost' | undefined> {
  const algorithm = digestAlgorithm(digest);
  try {
    const hex =
      size >= LARGE && objects.hash
        ? await objects.hash(blobKey(digest), algorithm, pace)
        : await hashedHere(objects, digest, pace);
    return hex === undefined ? undefined : `${algorithm}:${hex}`;
  } catch (error) {
    if (isLostOnDisk(error)) return 'lost';
    throw error;
  }
}

async function hashedHere(objects: ObjectStore, digest: Digest, pace?: ReadPace): Promise<string | undefined> {
  const hash = digester(digestAlgorithm(digest));
  const body = await objects.get(blobKey(digest));
  if (!body) return undefined;
  const { hashedBytes } = await import('../../io/streams/hashed-bytes.ts');
  await hashedBytes(body, hash, pace);
  return hash.digest('hex');
}

/** Whether the disk cannot read the bytes, or the file system's own checksum says that they are wrong. */
export function isLostOnDisk(error: unknown): boolean {
  return isFsError(error, 'EIO', 'EBADMSG', 'EUCLEAN');
}

/**
 * Makes a correct blob durable and removes its mark. To be called under the lock (`markTurn`). The mark stays if this blob was collected meanwhile: perhaps it
 * belongs to another blob by now, whose bytes are not on disk. A superfluous mark only costs one more check.
 */
export async function makeDurable(objects: ObjectStore, digest: Digest): Promise<void> {
  const versions = async () => {
    const [mark, blob] = [await objects.stat(markKey(digest)), await objects.stat(blobKey(digest))];
    return blob && `${mark?.version} ${blob.version}`;
  };
  const before = await versions();
  await objects.sync([blobKey(digest)]);
  if (before !== undefined && (await versions()) === before) await removeMark(objects, digest);
}
