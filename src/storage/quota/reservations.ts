// Who is about to write reserves the bytes first, if they fit. What is not written after all is given back.
import { inBinaryUnits } from '../../io/text/size.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Store } from '../store.ts';
import { type Space, type SpaceOptions, spaceOf } from './space.ts';

export interface Reservations {
  readonly space: Space;
  /** For who is about to write: whether there is a limit. */
  isLimited(): Promise<boolean>;
  /** Counts bytes that are about to be written. Errors: NO_SPACE (they do not fit; `isOverQuota`). */
  reserve(bytes: number): Promise<void>;
  /** Bytes that were reserved and not written, or that are gone. */
  release(bytes: number): Promise<void>;
  /** Whether the blob is there, and thus counted already. False if there is no limit. */
  isCounted(digest: Digest): Promise<boolean>;
  /** Tells of a write until it is disposed. `left`: the bytes that the write has reserved and not written. */
  writing(left: () => number): Disposable;
}

/** `limit` is asked each time; `undefined`: there is no limit, and nothing is counted. */
export function reservationsOf(
  store: Store,
  limit: () => Promise<number | undefined>,
  options: SpaceOptions = {},
): Reservations {
  /** By write that is under way: the bytes that it has reserved and not written. */
  const promised = new Set<() => number>();
  const unwritten = () => [...promised].reduce((sum, left) => sum + Math.max(0, left()), 0);
  const space = spaceOf(store, { ...options, unwritten });
  /** Something was written while there was no limit. */
  let isUncounted = false;

  async function limitOfWrite(): Promise<number | undefined> {
    const most = await limit();
    if (most === undefined) isUncounted = true;
    else if (isUncounted) {
      await space.recount();
      isUncounted = false;
    }
    return most;
  }

  return {
    space,
    isLimited: async () => (await limitOfWrite()) !== undefined,
    reserve: async (bytes) => {
      const most = await limitOfWrite();
      if (most === undefined) return;
      if (await space.take(bytes, most)) return;
      const used = await space.recounted();
      if (!(await space.take(bytes, most))) throw overQuota(most, used, bytes);
    },
    release: async (bytes) => {
      const most = await limit();
      if (most !== undefined && bytes !== 0) await space.add(-bytes, most);
    },
    isCounted: async (digest) => (await limit()) !== undefined && (await store.blobs.find(digest)) !== undefined,
    writing: (left) => {
      promised.add(left);
      return { [Symbol.dispose]: () => void promised.delete(left) };
    },
  };
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

export function isOverQuota(error: unknown): boolean {
  return isImagesError(error, 'NO_SPACE') && error.isPublic;
}
