// A limit on the bytes of all blobs and unfinished uploads of a store, over any driver. Reads and deletes go on when it is reached.
//
// The sum is not counted at each write: it is counted when it is an hour old, and all processes add to it (space.ts). What others add is known a moment later, so
// the limit may be exceeded by a little.
import type { Bytes } from '../io/streams/bytes.ts';
import { tapped } from '../io/streams/verify.ts';
import { inBinaryUnits } from '../io/text/size.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { FORWARD, forwarding } from '../registry/policies/forwarding.ts';
import type { BlobSession, Blobs, StartedBlob } from './blobs.ts';
import { type Space, type SpaceOptions, spaceOf } from './space.ts';
import type { Store } from './store.ts';

export interface LimitedStore extends Store {
  readonly space: Space;
}

/** `limit` is asked by each write; `undefined`: there is no limit, and nothing is counted. Errors of writes: NO_SPACE. */
export function withQuota(
  store: Store,
  limit: () => Promise<number | undefined>,
  options: SpaceOptions = {},
): LimitedStore {
  const { blobs } = store;
  /** By write that is under way: the bytes that it has reserved and not written. */
  const promised = new Set<() => number>();
  const unwritten = () => [...promised].reduce((sum, left) => sum + Math.max(0, left()), 0);
  const space = spaceOf(store, { ...options, unwritten });
  /** Something was written while there was no limit. */
  let isUncounted = false;

  /** For who is about to write. */
  async function limitOfWrite(): Promise<number | undefined> {
    const most = await limit();
    if (most === undefined) isUncounted = true;
    else if (isUncounted) {
      await space.recount();
      isUncounted = false;
    }
    return most;
  }

  /** Counts bytes that are about to be written, if they fit. */
  async function reserve(more: number): Promise<void> {
    const most = await limitOfWrite();
    if (most === undefined) return;
    if (await space.take(more, most)) return;
    const used = await space.recounted();
    if (!(await space.take(more, most))) throw overQuota(most, used, more);
  }

  async function release(bytes: number): Promise<void> {
    const most = await limit();
    if (most !== undefined && bytes !== 0) await space.add(-bytes, most);
  }

  const isThere = async (digest: Parameters<Blobs['find']>[0]) =>
    (await limit()) !== undefined && (await blobs.find(digest)) !== undefined;

  function limitedSession(inner: BlobSession): BlobSession {
    async function cancel(): Promise<void> {
      const { size } = inner;
      await inner.cancel();
      await release(size);
    }
    return {
      id: inner.id,
      get size() {
        return inner.size;
      },
      get written() {
        return inner.written;
      },
      append: async (body, { length, ...rest } = {}) => {
        const before = inner.size;
        let reserved = 0;
        const take = async (bytes: number) => {
          await reserve(bytes);
          reserved += bytes;
        };
        const left = () => reserved - (inner.size - before);
        promised.add(left);
        try {
          if (length !== undefined) await take(length);
          await inner.append(
            admitted(
              body,
              () => inner.size - before,
              take,
              () => reserved,
            ),
            rest,
          );
        } catch (error) {
          // The bytes of an upload that can never end are free at once.
          if (isOverQuota(error)) await inner.cancel();
          await release(isOverQuota(error) ? before + reserved : reserved - (inner.size - before));
          throw error;
        } finally {
          promised.delete(left);
        }
      },
      commit: async (digest, refer) => {
        const { size } = inner;
        const again = await isThere(digest);
        try {
          await inner.commit(digest, refer);
        } catch (error) {
          if (isImagesError(error, 'DIGEST_INVALID')) await release(size);
          throw error;
        }
        if (again) await release(size);
      },
      cancel,
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
  }

  const limited = forwarding<Blobs>(blobs, {
    find: FORWARD,
    kept: FORWARD,
    use: FORWARD,
    read: FORWARD,
    readVerified: FORWARD,
    partial: FORWARD,
    sweep: FORWARD,
    capacity: FORWARD,
    doubt: FORWARD,
    damaged: FORWARD,
    check: FORWARD,
    all: FORWARD,
    write: async (blob, open, options) => {
      if ((await limitOfWrite()) === undefined) return await blobs.write(blob, open, options);
      const before = await blobs.partial(blob.digest);
      const reserved = Math.max(0, blob.size - before);
      await reserve(reserved);
      let isOpened = false;
      let arrived = before;
      const left = () => Math.min(reserved, blob.size - arrived);
      promised.add(left);
      try {
        await blobs.write(
          blob,
          async (from) => {
            isOpened = true;
            arrived = from;
            return tapped(await open(from), (chunk) => {
              arrived += chunk.length;
            });
          },
          options,
        );
      } catch (error) {
        const kept = Math.min(blob.size, await blobs.partial(blob.digest)) - before;
        await release(reserved - kept);
        throw error;
      } finally {
        promised.delete(left);
      }
      // Somebody else wrote it, and has counted it.
      if (!isOpened) await release(reserved);
    },
    put: async (digest, bytes, refer) => {
      const reserved = (await isThere(digest)) ? 0 : bytes.length;
      if (reserved > 0) await reserve(reserved);
      try {
        await blobs.put(digest, bytes, refer);
      } catch (error) {
        await release(reserved);
        throw error;
      }
    },
    start: async () => {
      const inner = await blobs.start();
      let reserved = 0;
      const started: StartedBlob = {
        append: async (chunk) => {
          await reserve(chunk.length);
          reserved += chunk.length;
          await inner.append(chunk);
        },
        finish: async (digest) => {
          const again = await isThere(digest);
          await inner.finish(digest);
          if (again) await release(reserved);
          reserved = 0;
        },
        [Symbol.asyncDispose]: async () => {
          await inner[Symbol.asyncDispose]();
          await release(reserved);
          reserved = 0;
        },
      };
      return started;
    },
    session: async (id, options) => {
      // One that is begun in a full store is refused before any of its bytes are sent.
      if (!options?.mustExist) await reserve(1).then(() => release(1));
      const inner = await blobs.session(id, options);
      return inner && limitedSession(inner);
    },
    collect: async (seen, options) => {
      const gone = await blobs.collect(seen, options);
      await release(gone.reduce((sum, { size }) => sum + size, 0));
      return gone;
    },
  });
  return { objects: store.objects, blobs: limited, space };
}

/** The body, as far as its bytes fit. What was reserved before counts first. */
async function* admitted(
  body: Bytes,
  seen: () => number,
  take: (bytes: number) => Promise<void>,
  reserved: () => number,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    const lacking = seen() + chunk.length - reserved();
    if (lacking > 0) await take(lacking);
    yield chunk;
  }
}

const OVER = 'the quota of the registry is reached';

function overQuota(limit: number, used: number, more: number): ImagesError {
  const [most, held, wanted] = [limit, used, more].map(inBinaryUnits);
  const what = more > 1 ? `, ${wanted} more do not fit` : '';
  return new ImagesError('NO_SPACE', `${OVER}: ${held} of ${most} are used${what}`, {
    isPublic: true,
    hint: 'Remove images (`images lreg_rm`) and free what they leave (`images lreg_gc`), or raise `quota` in registry.toml.',
  });
}

function isOverQuota(error: unknown): boolean {
  return isImagesError(error, 'NO_SPACE') && error.isPublic;
}
