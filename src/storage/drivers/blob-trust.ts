// Which blobs of the store can be trusted to match their digests: those without a mark (blob-marks). A doubtful blob is hashed first (settle-blob), a damaged one
// counts as absent.
import type { Bytes } from '../../io/streams/bytes.ts';
import { tapped, verified } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { blobKey, markKey } from '../layout/registry-keys.ts';
import { DAMAGED_PREFIX } from '../layout/store-keys.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { ObjectInfo } from '../objects.ts';
import { doubtBlob, markTurn, trustIn } from './blob-marks.ts';
import { isLostOnDisk, makeDurable, settledOnce } from './settle-blob.ts';
import { unwrittenMarks } from './unwritten-marks.ts';

type Blob = Pick<Descriptor, 'digest' | 'size'>;

/** The blob if it is there and not known to be damaged; `undefined` counts as absent. A doubtful blob is hashed first. */
export async function wholeBlob(objects: ObjectStore, digest: Digest): Promise<ObjectInfo | undefined> {
  return await looked(objects, digest, async () => {});
}

/** The bytes of such a blob, if this process remembers them, and it is clear at once that nothing is said against it. */
export function keptBlob(objects: ObjectStore, digest: Digest): Uint8Array | undefined {
  const bytes = objects.kept?.(blobKey(digest));
  const isTrusted = bytes && !unwrittenMarks(objects).has(digest) && objects.isSurelyAbsent?.(markKey(digest));
  return isTrusted ? bytes : undefined;
}

/** The same, and the blob is durable when it resolves, so that a repository may rely on it. */
export async function durableBlob(objects: ObjectStore, digest: Digest): Promise<ObjectInfo | undefined> {
  return await looked(objects, digest, async (trust) => {
    if (trust === 'unsynced') {
      await using _turn = await markTurn(objects, digest);
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
