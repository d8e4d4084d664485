// Which compression bytes are in, told by their first ones: media types and names lie.

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
