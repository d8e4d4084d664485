// Decompresses gzip, zstd, xz and bzip2, detected by their first bytes. It streams: memory holds a few MiB and, for xz, its dictionary. gzip and zstd use
// Node's zlib; the decoders for xz and bzip2 are loaded only when needed.
import { ImagesError } from '../../oci/errors.ts';
import type { Bytes } from '../streams/bytes.ts';
import { tapped } from '../streams/verify.ts';
import { type Compression, peekCompression } from './compression.ts';
import { throughZlib } from './zlib-stream.ts';

/** Data that expands to more than `size` bytes and, at that point, to more than `ratio` times its compressed size is taken for an attack. */
export interface UnfoldingLimits {
  /** In bytes. */
  readonly size: number;
  readonly ratio: number;
}

/** Zeros expand 1,030 times in gzip and 32,000 times in zstd, and a real image may contain a few gigabytes of them. */
const LIMITS: UnfoldingLimits = { size: 4 * 1024 ** 3, ratio: 2000 };

/**
 * The stream, decompressed. Data that is not compressed, for instance a tar archive, is passed through. Concatenated members, frames or streams are read as one.
 * Errors: COMPRESSION_INVALID if the data is truncated, damaged, followed by something else, or expands without bounds; those of `bytes`.
 */
export async function* decompressed(bytes: Bytes, limits = LIMITS): AsyncGenerator<Uint8Array, void> {
  const { compression, body } = await peekCompression(bytes);
  if (!compression) {
    yield* body;
    return;
  }
  let read = 0;
  let written = 0;
  const counted = tapped(body, ({ length }) => {
    read += length;
  });
  for await (const chunk of unpacked(compression, counted)) {
    written += chunk.length;
    if (written > limits.size && written > read * limits.ratio) throw unfolds(compression, read, written);
    yield chunk;
  }
}

async function* unpacked(compression: Compression, bytes: Bytes): AsyncGenerator<Uint8Array, void> {
  switch (compression) {
    case 'gzip':
    case 'zstd':
      return yield* throughZlib(compression, bytes);
    case 'xz': {
      const { unxz } = await import('./xz.ts');
      return yield* unxz(bytes);
    }
    case 'bzip2': {
      const { bunzip2 } = await import('./bzip2.ts');
      return yield* bunzip2(bytes);
    }
  }
}

function unfolds(compression: Compression, read: number, written: number): ImagesError {
  return new ImagesError(
    'COMPRESSION_INVALID',
    `[${read}] bytes of ${compression} decompress to more than [${written}]: this looks like an attack`,
  );
}
