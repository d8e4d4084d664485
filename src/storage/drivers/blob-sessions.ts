// Sessions over stages: bytes are hashed as they come, and the hash is kept between the requests of one session.
import type { Hash } from 'node:crypto';
import { type Digest, type DigestAlgorithm, digestAlgorithm, digester } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { BlobSession, Blobs } from '../blobs.ts';
import type { ObjectStore, Stage } from '../object-store/object-store.ts';
import { publishBlob } from './publish-blob.ts';

/** How many hash states are kept between requests. One that was dropped is recomputed from disk. */
const MAX_HASHES = 256;

interface HashState {
  readonly hash: Hash;
  readonly algorithm: DigestAlgorithm;
  size: number;
}

export function openSession(objects: ObjectStore): Blobs['session'] {
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

  function sessionOf(stage: Stage): BlobSession {
    const cancel = async () => {
      hashes.delete(stage.id);
      await stage.discard();
    };
    return {
      id: stage.id,
      get size() {
        return stage.size;
      },
      get written() {
        return stage.written;
      },
      append: async (body, { isLast = false } = {}) => {
        const state = runningHash(stage);
        let isWhole = false;
        try {
          for await (const chunk of body) {
            state?.hash.update(chunk);
            if (state) state.size += chunk.length;
            await stage.append(chunk);
          }
          isWhole = true;
        } finally {
          // What has arrived is acknowledged through the size, even if the rest failed, so it must be synced. An error of writing takes precedence.
          if (!(isLast && isWhole)) await stage.sync();
        }
      },
      commit: async (digest, refer) => {
        const found = `${digestAlgorithm(digest)}:${await hashOf(stage, digest)}`;
        hashes.delete(stage.id);
        if (found !== digest) {
          await cancel();
          throw new ImagesError('DIGEST_INVALID', `digest is ${found}, expected ${digest}`);
        }
        // Publishes even if there is such a blob, because only the new bytes have been verified.
        await publishBlob(objects, stage, digest, refer);
      },
      cancel,
      [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
    };
  }

  return async (id, { mustExist = false, isNew = false, signal, algorithm } = {}) => {
    const stage = await objects.stage(id, { mustExist, isNew, rests: true, ...(signal && { signal }) });
    if (!stage) return undefined;
    // Bytes that a killed process had received but not acknowledged may be zeros after a power cut.
    if (stage.size > stage.synced) await stage.truncate(stage.synced);
    if (algorithm && stage.size === 0) keep(stage, newHash(algorithm));
    return sessionOf(stage);
  };
}

function newHash(algorithm: DigestAlgorithm): HashState {
  return { hash: digester(algorithm), algorithm, size: 0 };
}
