// Which compression bytes are in, told by their first ones: media types and names lie.
import type { Bytes } from '../streams/bytes.ts';

export type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2';

/** As many bytes as tell every compression for sure. */
export const MAGIC_LENGTH = 10;

const MAGICS: readonly (readonly [Compression, RegExp])[] = [
  ['gzip', /^\x1f\x8b\x08/],
  // A frame, or one that decoders pass over: indexes of zstd:chunked and the like.
  ['zstd', /^(?:\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)/],
  ['xz', /^\xfd7zXZ\0/],
  // Then a block, or the end of nothing at all.
  ['bzip2', /^BZh[1-9](?:$|1AY&SY|\x17\x72\x45\x38\x50\x90|.{1,5}$)/s],
];

/** Of the first bytes of something: 10 of them, or all. `undefined` for what is not compressed in a way that is known. */
export function compressionOf(first: Uint8Array): Compression | undefined {
  const text = Buffer.from(first.subarray(0, MAGIC_LENGTH)).toString('latin1');
  return MAGICS.find(([, magic]) => magic.test(text))?.[0];
}

export interface Peeked {
  readonly compression: Compression | undefined;
  /** As many as tell. */
  readonly first: Uint8Array;
  /** All bytes, the first ones included. */
  readonly body: Bytes;
}

/** Looks at the first bytes. Closing the body closes what it was made of, begun or not. Errors: those of the body. */
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
