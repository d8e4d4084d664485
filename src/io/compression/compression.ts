// Detects the compression from the first bytes, because media types and file names are not reliable.
import type { Bytes } from '../streams/bytes.ts';

export type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2';

/** In bytes. Enough to recognise every compression. */
export const MAGIC_LENGTH = 10;

const MAGICS: readonly (readonly [Compression, RegExp])[] = [
  ['gzip', /^\x1f\x8b\x08/],
  // A zstd frame, or a skippable frame: zstd:chunked and others put indexes into these.
  ['zstd', /^(?:\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)/],
  ['xz', /^\xfd7zXZ\0/],
  // The signature is followed by a block, or by the end mark of an empty stream.
  ['bzip2', /^BZh[1-9](?:$|1AY&SY|\x17\x72\x45\x38\x50\x90|.{1,5}$)/s],
];

/** The compression, by the first 10 bytes (or all, if there are fewer); `undefined` if it is none that is known. */
export function compressionOf(first: Uint8Array): Compression | undefined {
  const text = Buffer.from(first.subarray(0, MAGIC_LENGTH)).toString('latin1');
  return MAGICS.find(([, magic]) => magic.test(text))?.[0];
}

export interface Peeked {
  readonly compression: Compression | undefined;
  /** As many bytes as are needed to tell. */
  readonly first: Uint8Array;
  /** The whole stream, including `first`. */
  readonly body: Bytes;
}

/** Looks at the first bytes of a stream. Closing the new body closes the old one, even if it was never read. Errors: those of the body. */
export async function peekCompression(body: Bytes): Promise<Peeked> {
  const iterator = body[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size < MAGIC_LENGTH) {
    const next = await iterator.next();
    if (next.done) break;
    chunks.push(next.value);
    size += next.value.length;
  }
  const first = Buffer.concat(chunks);
  const whole: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => whole,
    next: async () => {
      const chunk = chunks.shift();
      return chunk ? { done: false, value: chunk } : iterator.next();
    },
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
  };
  return { compression: compressionOf(first), first, body: whole };
}
