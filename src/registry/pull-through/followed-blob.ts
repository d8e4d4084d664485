// Reads a blob while it is fetched. The last byte is given when all of it is verified: a wrong blob breaks the connection, and no client takes it for whole.
import { untilAborted } from '../../io/concurrency/until-aborted.ts';
import type { FillingBytes } from '../../io/streams/bytes.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { BlobOptions, GrowingBlob } from '../contract.ts';

/** A blob that is being fetched, as its readers see it. */
export interface Followed {
  readonly blob: Descriptor;
  /** Another one if it was begun anew. */
  readonly growing: GrowingBlob | undefined;
  readonly failure: { readonly error: unknown } | undefined;
  /** Resolves when one of the above, or what they say, has changed. */
  changed(): Promise<void>;
  enter(): void;
  leave(): void;
}

/** In bytes, for consumers that bring no memory of their own. */
const CHUNK = 256 * 1024;

/** The caller has entered; the stream leaves at its end, or when it is closed. Errors: RANGE_INVALID; BROKEN_OFF; those of the fetch. */
export function followed(fetch: Followed, { from = 0, to, signal }: BlobOptions): FillingBytes {
  const { size, digest } = fetch.blob;
  if (from > 0 && from >= size) {
    throw new ImagesError('RANGE_INVALID', `there is no byte ${from} in ${size} [${digest}]`);
  }
  const growing = fetch.growing;
  const restarts = growing?.restarts;
  const end = Math.min(to ?? size, size);
  let position = from;
  let hasLeft = false;

  const leave = () => {
    if (hasLeft) return;
    hasLeft = true;
    fetch.leave();
  };
  const isSame = () => growing !== undefined && fetch.growing === growing && growing.restarts === restarts;

  /** The offset after the last byte that may be given. */
  async function available(): Promise<number> {
    for (;;) {
      if (!growing || !isSame()) throw brokenOff(digest);
      const readable = growing.isWhole ? size : Math.min(growing.size, size - 1);
      if (readable > position) return readable;
      if (fetch.failure) throw fetch.failure.error;
      await untilAborted(fetch.changed(), signal);
    }
  }

  async function fill(buffer: Uint8Array): Promise<number> {
    if (hasLeft || position >= end) return 0;
    const length = Math.min(buffer.length, end - position, (await available()) - position);
    await growing?.read(buffer.subarray(0, length), position);
    // What was read may be of before, or of after.
    if (!isSame()) throw brokenOff(digest);
    position += length;
    return length;
  }

  const iterator: AsyncIterableIterator<Uint8Array> & FillingBytes = {
    fill,
    [Symbol.asyncIterator]: () => iterator,
    next: async () => {
      try {
        if (!hasLeft && position < end) {
          const most = Math.min(CHUNK, end - position, (await available()) - position);
          const buffer = Buffer.allocUnsafeSlow(most);
          return { done: false, value: buffer.subarray(0, await fill(buffer)) };
        }
      } catch (error) {
        leave();
        throw error;
      }
      leave();
      return { done: true, value: undefined };
    },
    return: async () => {
      leave();
      return { done: true, value: undefined };
    },
  };
  return iterator;
}

function brokenOff(digest: string): ImagesError {
  return new ImagesError('BROKEN_OFF', `what had come of the blob proved wrong, and is fetched anew [${digest}]`, {
    isPublic: true,
  });
}
