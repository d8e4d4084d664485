// Uploads over an object store: one stage for each session, named by repository and id, so that any process can continue it, also after a restart.
import type { Hash } from 'node:crypto';
import { createHash, randomUUID } from 'node:crypto';
import { type Digest, type DigestAlgorithm, digestAlgorithm, digester } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import type { Registry, Upload } from '../registry/contract.ts';
import { publishBlob } from './blob-trust.ts';
import type { Expiry } from './expiry.ts';
import { layerLinkKey } from './layout.ts';
import { checkRepository, ensureLink } from './links.ts';
import type { ObjectStore, Stage } from './object-store.ts';

/** How many hash states are kept between the requests of chunked uploads. One that was dropped is recomputed from disk. */
const MAX_HASHES = 256;

interface HashState {
  readonly hash: Hash;
  readonly algorithm: DigestAlgorithm;
  size: number;
}

export function storedUploads(objects: ObjectStore, unfinished: Expiry): Pick<Registry, 'openUpload'> {
  const hashes = new Map<string, HashState>();

  /** The hash of all bytes in the stage: the running hash if it is usable, else computed from disk. */
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
      if (id === undefined) {
        await unfinished.begun();
        await unfinished.admit(0, 0);
      }
      const uploadId = id ?? randomUUID();
      const stage = /^[0-9a-f-]{36}$/.test(uploadId)
        ? await objects.stage(uploadStageId(repository, uploadId), {
            mustExist: id !== undefined,
            ...(signal && { signal }),
          })
        : undefined;
      if (!stage) throw new ImagesError('BLOB_UPLOAD_UNKNOWN', `no such upload in ${repository} [${uploadId}]`);
      // Bytes that a killed process had received but not acknowledged may be zeros after a power cut.
      if (stage.size > stage.synced) await stage.truncate(stage.synced);
      if (algorithm && stage.size === 0) keep(stage, newHash(algorithm));
      const before = stage.size;
      let isLeft = true;
      const discard = async () => {
        hashes.delete(stage.id);
        isLeft = false;
        const { size } = stage;
        await stage.discard();
        unfinished.ended(size);
      };
      const upload: Upload = {
        id: uploadId,
        get size() {
          return stage.written;
        },
        append: async (body, { from, isLast = false, signal: abort } = {}) => {
          if (from !== undefined && from !== stage.size) {
            throw new ImagesError('RANGE_INVALID', `upload goes on at ${stage.size} [${from}]`);
          }
          const state = runningHash(stage);
          let isWhole = false;
          try {
            for await (const chunk of body) {
              abort?.throwIfAborted();
              await unfinished.admit(stage.size, chunk.length);
              state?.hash.update(chunk);
              if (state) state.size += chunk.length;
              await stage.append(chunk);
            }
            isWhole = true;
          } finally {
            // What has arrived is acknowledged through the size, even if the rest failed, so it must be synced. An error of writing takes precedence.
            if (!(isLast && isWhole)) await stage.sync();
          }
          return stage.size;
        },
        commit: async (digest) => {
          const { size } = stage;
          const hex = await hashOf(stage, digest);
          hashes.delete(stage.id);
          const found = `${digestAlgorithm(digest)}:${hex}`;
          if (found !== digest) {
            await discard();
            throw new ImagesError('DIGEST_INVALID', `digest is ${found}, expected ${digest}`);
          }
          // Publishes even if there is such a blob, because only the new bytes have been verified.
          await publishBlob(objects, stage, digest, async () => {
            isLeft = false;
            unfinished.ended(size);
            const link = layerLinkKey(repository, digest);
            await ensureLink(objects, link, digest);
            return link;
          });
          return { mediaType: 'application/octet-stream', digest, size };
        },
        cancel: discard,
        [Symbol.asyncDispose]: async () => {
          await stage[Symbol.asyncDispose]();
          if (isLeft) await unfinished.left(stage.size - before);
        },
      };
      return upload;
    },
  };
}

function newHash(algorithm: DigestAlgorithm): HashState {
  return { hash: digester(algorithm), algorithm, size: 0 };
}

/** Includes the repository, so that the id is unknown in any other one. */
function uploadStageId(repository: string, id: string): string {
  return `upload-${createHash('sha256').update(repository).digest('hex').slice(0, 16)}-${id}`;
}
