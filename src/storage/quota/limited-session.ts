// A session whose bytes are reserved before they are written: at once if their number is known, else as they come.
import type { Bytes } from '../../io/streams/bytes.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { BlobSession } from '../blobs.ts';
import { isOverQuota, type Reservations } from './reservations.ts';

export function limitedSession(inner: BlobSession, quota: Reservations): BlobSession {
  return {
    id: inner.id,
    get size() {
      return inner.size;
    },
    get written() {
      return inner.written;
    },
    append: async (body, options) => await append(inner, quota, body, options),
    commit: async (digest, refer) => {
      const { size } = inner;
      const isAgain = await quota.isCounted(digest);
      try {
        await inner.commit(digest, refer);
      } catch (error) {
        if (isImagesError(error, 'DIGEST_INVALID')) await quota.release(size);
        throw error;
      }
      if (isAgain) await quota.release(size);
    },
    cancel: async () => {
      const { size } = inner;
      await inner.cancel();
      await quota.release(size);
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

async function append(
  inner: BlobSession,
  quota: Reservations,
  body: Bytes,
  { length, ...rest }: Parameters<BlobSession['append']>[1] = {},
): Promise<void> {
  const before = inner.size;
  const arrived = () => inner.size - before;
  let reserved = 0;
  const take = async (bytes: number) => {
    await quota.reserve(bytes);
    reserved += bytes;
  };

  /** The body, as far as its bytes fit. What was reserved before counts first. */
  async function* admitted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      const lacking = arrived() + chunk.length - reserved;
      if (lacking > 0) await take(lacking);
      yield chunk;
    }
  }

  using _writing = quota.writing(() => reserved - arrived());
  try {
    if (length !== undefined) await take(length);
    await inner.append(admitted(), rest);
  } catch (error) {
    // The bytes of an upload that can never end are free at once.
    if (isOverQuota(error)) await inner.cancel();
    await quota.release(isOverQuota(error) ? before + reserved : reserved - arrived());
    throw error;
  }
}
