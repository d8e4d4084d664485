// Blobs over an object store: one copy for all repositories, and a link in each repository that may read it.
import type { Bytes } from '../../io/streams/bytes.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { BlobOptions, Registry } from '../../registry/contract.ts';
import type { Blobs, StoredBlob } from '../blobs.ts';
import { layerLinkKey } from '../layout/registry-keys.ts';
import type { Store } from '../store.ts';
import type { Expiry } from './expiry.ts';
import { absent, checkRepository, ensureLink, readLink } from './links.ts';

export type StoredBlobs = Pick<
  Registry,
  'getBlob' | 'statBlob' | 'putBlob' | 'mountBlob' | 'deleteBlob' | 'partialBytes'
>;

const BLOB_TYPE = 'application/octet-stream';

export function storedBlobs({ objects, blobs }: Store, unfinished: Expiry): StoredBlobs {
  const isLinked = async (repository: string, digest: Digest) =>
    (await readLink(objects, layerLinkKey(repository, digest))) !== undefined;

  return {
    // A client that is told of the blob is about to refer to it.
    statBlob: async (repository, digest) => {
      checkRepository(repository);
      const found = (await isLinked(repository, digest)) ? await blobs.use(digest) : undefined;
      return found && { mediaType: BLOB_TYPE, digest, size: found.size };
    },
    getBlob: async (repository, digest, options = {}) => {
      checkRepository(repository);
      const linked = await isLinked(repository, digest);
      const { from = 0, to, verify, size: expected } = options;
      const kept = linked && from === 0 && to === undefined && !verify ? blobs.kept?.(digest) : undefined;
      if (kept && (expected === undefined || expected === kept.length)) {
        return { descriptor: { mediaType: BLOB_TYPE, digest, size: kept.length }, body: oneChunk(kept) };
      }
      const found = linked ? await blobs.find(digest) : undefined;
      const size = found?.size;
      if (size !== undefined && from > 0 && from >= size) {
        throw new ImagesError('RANGE_INVALID', `there is no byte ${from} in ${size} [${digest}]`);
      }
      const body = found && (await openBlob(blobs, found, options));
      if (size === undefined || !body) {
        const unknown = new ImagesError('BLOB_UNKNOWN', `no such blob in ${repository} [${digest}]`);
        throw await absent(objects, repository, unknown);
      }
      return { descriptor: { mediaType: BLOB_TYPE, digest, size }, body };
    },
    putBlob: async (repository, blob, open, options) => {
      checkRepository(repository);
      const opened: typeof open = async (from) => {
        await unfinished.begun();
        return await open(from);
      };
      await blobs.write(blob, opened, options);
      await ensureLink(objects, layerLinkKey(repository, blob.digest), blob.digest);
    },
    mountBlob: async (repository, digest) => {
      checkRepository(repository);
      if (!(await blobs.use(digest, { durable: true }))) return false;
      await ensureLink(objects, layerLinkKey(repository, digest), digest);
      await objects.sync([layerLinkKey(repository, digest)]);
      return true;
    },
    deleteBlob: async (repository, digest) => {
      checkRepository(repository);
      if (!(await isLinked(repository, digest))) {
        const unknown = new ImagesError('BLOB_UNKNOWN', `no such blob in ${repository} [${digest}]`);
        throw await absent(objects, repository, unknown);
      }
      await objects.delete([layerLinkKey(repository, digest)]);
      await objects.sync([layerLinkKey(repository, digest)]);
    },
    partialBytes: blobs.partial,
  };
}

/**
 * The requested range of a blob that was found, so it is not known to be damaged; `undefined` if it has gone. A blob whose size is not the one that the reader
 * expects is marked as doubtful.
 */
export async function openBlob(
  blobs: Blobs,
  blob: StoredBlob,
  { from = 0, to, verify, size }: BlobOptions,
): Promise<Bytes | undefined> {
  if (size !== undefined && size !== blob.size) await blobs.doubt(blob.digest);
  if (verify && from === 0 && to === undefined) return await blobs.readVerified(blob);
  return await blobs.read(blob.digest, to === undefined ? { from } : { from, to });
}
