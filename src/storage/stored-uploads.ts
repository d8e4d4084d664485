// Uploads over an object store: a stage a session, named by repository and id, so that any process can go on with it, also after a restart.
import type { Hash } from 'node:crypto';
import { createHash, randomUUID } from 'node:crypto';
import { type Digest, type DigestAlgorithm, digestAlgorithm, digester } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import type { Registry, Upload } from '../registry/contract.ts';
import { blobKey, layerLinkKey } from './layout.ts';
import { checkRepository, ensureLink } from './links.ts';
import type { ObjectStore, Stage } from './object-store.ts';

/** Hash states kept between the requests of a chunked upload; one that is dropped is made again from disk. */
const MAX_HASHES = 256;

interface HashState {
  readonly hash: Hash;
  readonly algorithm: DigestAlgorithm;
  size: number;
}

export function storedUploads(objects: ObjectStore, expire: () => Promise<void>): Pick<Registry, 'openUpload'> {
  const hashes = new Map<string, HashState>();

  /** The hash of all that the stage holds: the running one where it fits, else read from disk. */
  async function hashOf(stage: Stage, digest: Digest): Promise<string> {
    const state = hashes.get(stage.id);
    const algorithm = digestAlgorithm(digest);
    if (state?.size === stage.size && state.algorithm === algorithm) return state.hash.copy().digest('hex');
    const hash = digester(algorithm);
    for await (const chunk of stage.read()) hash.update(chunk);
    return hash.digest('hex');
  }

  function runningHash(stage: Stage): HashState | undefined {
    const state = hashes.get(stage.id) ?? (stage.size === 0 ? newHash('sha256') : undefined);
    if (!state || state.size !== stage.size) {
      hashes.delete(stage.id);
      return undefined;
    }
    keep(stage, state);
    return state;
  }

  function keep(stage: Stage, state: HashState): void {
    hashes.delete(stage.id);
    hashes.set(stage.id, state);
    if (hashes.size > MAX_HASHES) hashes.delete(hashes.keys().next().value ?? '');
  }

  return {
    openUpload: async (repository, id, { signal, algorithm } = {}) => {
      checkRepository(repository);
      if (id === undefined) await expire();
      const uploadId = id ?? randomUUID();
      const stage = /^[0-9a-f-]{36}$/.test(uploadId)
        ? await objects.stage(uploadStageId(repository, uploadId), {
            mustExist: id !== undefined,
            ...(signal && { signal }),
          })
        : undefined;
      if (!stage) throw new ImagesError('BLOB_UPLOAD_UNKNOWN', `no such upload in ${repository} [${uploadId}]`);
      if (algorithm && stage.size === 0) keep(stage, newHash(algorithm));
      const upload: Upload = {
        id: uploadId,
        get size() {
          return stage.size;
        },
        append: async (body, { from, signal: abort } = {}) => {
          if (from !== undefined && from !== stage.size) {
            throw new ImagesError('RANGE_INVALID', `upload goes on at ${stage.size} [${from}]`);
          }
          const state = runningHash(stage);
          for await (const chunk of body) {
            abort?.throwIfAborted();
            state?.hash.update(chunk);
            if (state) state.size += chunk.length;
            await stage.append(chunk);
          }
          return stage.size;
        },
        commit: async (digest) => {
          const { size } = stage;
          const hex = await hashOf(stage, digest);
          hashes.delete(stage.id);
          const found = `${digestAlgorithm(digest)}:${hex}`;
          if (found !== digest) {
            await stage.discard();
            throw new ImagesError('DIGEST_INVALID', `digest is ${found}, expected ${digest}`);
          }
          if ((await objects.stat(blobKey(digest)))?.size === size) {
            await objects.touch(blobKey(digest));
            await stage.discard();
          } else {
            await stage.publish(blobKey(digest));
          }
          await ensureLink(objects, layerLinkKey(repository, digest), digest);
          return { mediaType: 'application/octet-stream', digest, size };
        },
        cancel: async () => {
          hashes.delete(stage.id);
          await stage.discard();
        },
        [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
      };
      return upload;
    },
  };
}

function newHash(algorithm: DigestAlgorithm): HashState {
  return { hash: digester(algorithm), algorithm, size: 0 };
}

/** An id is of one repository: in another one it is unknown. */
function uploadStageId(repository: string, id: string): string {
  return `upload-${createHash('sha256').update(repository).digest('hex').slice(0, 16)}-${id}`;
}
