// Blobs over an object store: one copy for all repositories, and a link in each repository that may read it.
import type { Bytes } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import type { BlobOptions, Registry } from '../registry/contract.ts';
import { doubtBlob, durableBlob, publishBlob, readVerified, wholeBlob } from './blob-trust.ts';
import type { Expiry } from './expiry.ts';
import { fillStage } from './fill-stage.ts';
import { blobKey, blobStageId, layerLinkKey } from './layout.ts';
import { absent, checkRepository, ensureLink, readLink } from './links.ts';
import type { ObjectStore } from './object-store.ts';

export type StoredBlobs = Pick<
  Registry,
  'getBlob' | 'statBlob' | 'putBlob' | 'mountBlob' | 'deleteBlob' | 'partialBytes'
>;

const BLOB_TYPE = 'application/octet-stream';

export function storedBlobs(objects: ObjectStore, unfinished: Expiry): StoredBlobs {
  /** The blob's size if the repository may read it. */
  async function sizeIn(repository: string, digest: Digest): Promise<number | undefined> {
    if ((await readLink(objects, layerLinkKey(repository, digest))) === undefined) return undefined;
    return (await wholeBlob(objects, digest))?.size;
  }

  /** Links the blob if the store has it whole. This also spares it from garbage collection. */
  async function linkIfStored(repository: string, digest: Digest, size?: number): Promise<boolean> {
    const stored = await durableBlob(objects, digest);
    if (!stored || (size !== undefined && stored.size !== size)) return false;
    await Promise.all([objects.touch(blobKey(digest)), ensureLink(objects, layerLinkKey(repository, digest), digest)]);
    return true;
  }

  return {
    statBlob: async (repository, digest) => {
      checkRepository(repository);
      const size = await sizeIn(repository, digest);
      return size === undefined ? undefined : { mediaType: BLOB_TYPE, digest, size };
    },
    getBlob: async (repository, digest, options = {}) => {
      checkRepository(repository);
      const size = await sizeIn(repository, digest);
      const { from = 0 } = options;
      if (size !== undefined && from > 0 && from >= size) {
        throw new ImagesError('RANGE_INVALID', `there is no byte ${from} in ${size} [${digest}]`);
      }
      const body = size === undefined ? undefined : await openBlob(objects, { digest, size }, options);
      if (size === undefined || !body) {
        const unknown = new ImagesError('BLOB_UNKNOWN', `no such blob in ${repository} [${digest}]`);
        throw await absent(objects, repository, unknown);
      }
      return { descriptor: { mediaType: BLOB_TYPE, digest, size }, body };
    },
    putBlob: async (repository, blob, open, options) => {
      checkRepository(repository);
      if (await linkIfStored(repository, blob.digest, blob.size)) return;
      await unfinished.begun();
      await using stage = await objects.stage(blobStageId(blob.digest), options);
      if (!stage) throw new Error('a stage that need not exist was not opened');
      // The previous owner of the stage may have published the blob.
      if (await linkIfStored(repository, blob.digest, blob.size)) {
        await stage.discard();
        return;
      }
      await fillStage(stage, blob, open);
      await publishBlob(objects, stage, blob.digest);
      await ensureLink(objects, layerLinkKey(repository, blob.digest), blob.digest);
    },
    mountBlob: async (repository, digest) => {
      checkRepository(repository);
      if (!(await linkIfStored(repository, digest))) return false;
      await objects.sync([layerLinkKey(repository, digest)]);
      return true;
    },
    deleteBlob: async (repository, digest) => {
      checkRepository(repository);
      if ((await readLink(objects, layerLinkKey(repository, digest))) === undefined) {
        const unknown = new ImagesError('BLOB_UNKNOWN', `no such blob in ${repository} [${digest}]`);
        throw await absent(objects, repository, unknown);
      }
      await objects.delete([layerLinkKey(repository, digest)]);
      await objects.sync([layerLinkKey(repository, digest)]);
    },
    partialBytes: async (digest) => (await wholeBlob(objects, digest))?.size ?? objects.staged(blobStageId(digest)),
  };
}

/** The requested range; `undefined` if the blob has gone. A blob whose size is not the one that the reader expects is marked as doubtful. */
export async function openBlob(
  objects: ObjectStore,
  blob: Pick<Descriptor, 'digest' | 'size'>,
  { from = 0, to, verify, size }: BlobOptions,
): Promise<Bytes | undefined> {
  if (size !== undefined && size !== blob.size) await doubtBlob(objects, blob.digest);
  if (verify && from === 0 && to === undefined) return await readVerified(objects, blob);
  return await objects.get(blobKey(blob.digest), to === undefined ? { from } : { from, to });
}
