// Which blobs in a directory are right: a file that this process did not write is hashed, once for each version of it, before it counts as present.
import { createLimiter } from '../io/concurrency/limiter.ts';
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import { verified } from '../io/streams/verify.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { isImagesError } from '../oci/errors.ts';
import type { ObjectStore } from '../storage/object-store/object-store.ts';

export interface RightBlobs {
  /** Whether the blob is there and its bytes are correct. */
  has(blob: Descriptor, options?: CallOptions): Promise<boolean>;
  /** Those of the blobs that are not there. */
  lacking(blobs: readonly Descriptor[], options?: CallOptions): Promise<readonly Descriptor[]>;
  /** Notes that this process has verified the bytes that it wrote. */
  wrote(digest: Digest): Promise<void>;
}

const QUESTIONS = 16;
/** How many files are hashed at once: one processor does the hashing. */
const HASHED_AT_ONCE = 4;

export function rightBlobs(objects: Pick<ObjectStore, 'stat' | 'get'>, keyOf: (digest: Digest) => string): RightBlobs {
  const ask = createLimiter(QUESTIONS);
  const hashing = createLimiter(HASHED_AT_ONCE);
  /** For each blob, the version that was hashed, and whether it was correct. */
  const looks = new Map<Digest, { readonly version: string; readonly isRight: Promise<boolean> }>();

  async function has(blob: Descriptor, { signal }: CallOptions = {}): Promise<boolean> {
    const found = await objects.stat(keyOf(blob.digest));
    if (found?.size !== blob.size) return false;
    const look = looks.get(blob.digest);
    if (look?.version === found.version) return await look.isRight;
    const isRight = hashing(async () => isRightIn(await objects.get(keyOf(blob.digest)), blob, signal), signal);
    looks.set(blob.digest, { version: found.version, isRight });
    try {
      return await isRight;
    } catch (error) {
      looks.delete(blob.digest);
      throw error;
    }
  }

  return {
    has,
    lacking: async (blobs, options) => {
      const there = await ask.map(blobs, (blob) => has(blob, options), options?.signal);
      return blobs.filter((_, at) => !there[at]);
    },
    wrote: async (digest) => {
      const written = await objects.stat(keyOf(digest));
      if (written) looks.set(digest, { version: written.version, isRight: Promise.resolve(true) });
    },
  };
}

async function isRightIn(body: Bytes | undefined, blob: Descriptor, signal: AbortSignal | undefined): Promise<boolean> {
  if (!body) return false;
  try {
    for await (const _ of verified(body, blob)) signal?.throwIfAborted();
    return true;
  } catch (error) {
    if (isImagesError(error, 'DIGEST_INVALID', 'SIZE_INVALID')) return false;
    throw error;
  }
}
