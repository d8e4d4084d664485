// Blobs over an object store: one copy for all repositories, a link in each that may read it.

import { brokeOff, type Start, verified } from '../io/verify.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digester } from '../oci/digest.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import type { Bytes, OpenContent, Registry } from '../registry/contract.ts';
import { blobKey, blobStageId, layerLinkKey } from './layout.ts';
import { absent, checkRepository, ensureLink, readLink } from './links.ts';
import type { ObjectStore, Stage } from './object-store.ts';

export type StoredBlobs = Pick<
  Registry,
  'getBlob' | 'statBlob' | 'putBlob' | 'mountBlob' | 'deleteBlob' | 'partialBytes'
>;

const BLOB_TYPE = 'application/octet-stream';

export function storedBlobs(objects: ObjectStore, expire: () => Promise<void>): StoredBlobs {
  /** The blob's size if the repository may read it. */
  async function sizeIn(repository: string, digest: Digest): Promise<number | undefined> {
    if ((await readLink(objects, layerLinkKey(repository, digest))) === undefined) return undefined;
    return (await objects.stat(blobKey(digest)))?.size;
  }

  /** Links the blob if the store has it, whole. Relying on it spares it from garbage collection. */
  async function linkIfStored(repository: string, digest: Digest, size?: number): Promise<boolean> {
    const stored = await objects.stat(blobKey(digest));
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
      const { from = 0, to } = options;
      if (size !== undefined && from > 0 && from >= size) {
        throw new ImagesError('RANGE_INVALID', `there is no byte ${from} in ${size} [${digest}]`);
      }
      const range = to === undefined ? { from } : { from, to };
      const body = size === undefined ? undefined : await objects.get(blobKey(digest), range);
      if (size === undefined || !body) {
        const unknown = new ImagesError('BLOB_UNKNOWN', `no such blob in ${repository} [${digest}]`);
        throw await absent(objects, repository, unknown);
      }
      return { descriptor: { mediaType: BLOB_TYPE, digest, size }, body };
    },
    putBlob: async (repository, blob, open, options) => {
      checkRepository(repository);
      if (await linkIfStored(repository, blob.digest, blob.size)) return;
      await expire();
      await using stage = await objects.stage(blobStageId(blob.digest), options);
      if (!stage) throw new Error('a stage that need not exist was not opened');
      // Whoever had the stage before us may just have published the blob.
      if (await linkIfStored(repository, blob.digest, blob.size)) {
        await stage.discard();
        return;
      }
      await fill(stage, blob, open);
      await stage.publish(blobKey(blob.digest));
      await ensureLink(objects, layerLinkKey(repository, blob.digest), blob.digest);
    },
    mountBlob: async (repository, digest) => {
      checkRepository(repository);
      return linkIfStored(repository, digest);
    },
    deleteBlob: async (repository, digest) => {
      checkRepository(repository);
      if ((await readLink(objects, layerLinkKey(repository, digest))) === undefined) {
        const unknown = new ImagesError('BLOB_UNKNOWN', `no such blob in ${repository} [${digest}]`);
        throw await absent(objects, repository, unknown);
      }
      await objects.delete([layerLinkKey(repository, digest)]);
    },
    partialBytes: async (digest) => (await objects.stat(blobKey(digest)))?.size ?? objects.staged(blobStageId(digest)),
  };
}

/**
 * Brings the stage to the whole blob: what an earlier attempt left is hashed, the rest asked for. Where that proves to be wrong, all is asked for once more.
 * Bytes of a broken-off attempt stay; wrong ones do not.
 */
async function fill(stage: Stage, blob: Descriptor, open: OpenContent): Promise<void> {
  if (stage.size > blob.size) await stage.truncate(0);
  const held = stage.size;
  try {
    await append(stage, blob, open);
  } catch (error) {
    const wrong = isImagesError(error, 'DIGEST_INVALID', 'SIZE_INVALID') && !brokeOff(error);
    if (!wrong) {
      if (stage.size === 0) await stage.discard();
      throw error;
    }
    if (held === 0) {
      await stage.discard();
      throw error;
    }
    await stage.truncate(0);
    await fill(stage, blob, open);
  }
}

async function append(stage: Stage, blob: Descriptor, open: OpenContent): Promise<void> {
  const start = stage.size > 0 ? await hashed(stage, blob.digest) : undefined;
  const rest = start?.size === blob.size ? nothing() : await open(start?.size ?? 0);
  for await (const chunk of verified(rest, blob, start)) await stage.append(chunk);
}

async function hashed(stage: Stage, digest: Digest): Promise<Start> {
  const hash = digester(digestAlgorithm(digest));
  for await (const chunk of stage.read()) hash.update(chunk);
  return { hash, size: stage.size };
}

async function* nothing(): Bytes & AsyncGenerator<Uint8Array> {}
