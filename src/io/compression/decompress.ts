// Bytes as they were before they were compressed: gzip, zstd, xz and bzip2, recognised by their first bytes. Streamed: what is in memory are a few MiB and,
// for xz, its dictionary. Node's own zlib for gzip and zstd; what xz and bzip2 need is loaded only for them.
import { ImagesError } from '../../oci/errors.ts';
import type { Bytes } from '../streams/bytes.ts';
import { tapped } from '../streams/verify.ts';
import { type Compression, peekCompression } from './compression.ts';
import { throughZlib } from './zlib-stream.ts';

/** What unfolds to more than `size` and, at once, to more than `ratio` times itself is taken for an attack. */
export interface UnfoldingLimits {
  /** In bytes. */
  readonly size: number;
  readonly ratio: number;
}

/** Zeros alone unfold 1,030 times in gzip and 32,000 times in zstd: an image may well hold a few gigabytes of them. */
const LIMITS: UnfoldingLimits = { size: 4 * 1024 ** 3, ratio: 2000 };

/**
 * Uncompressed; what is not compressed, a tar archive for instance, passes through as it is. Several members, frames or streams in a row are read as one.
 * Errors: COMPRESSION_INVALID for what breaks off, is damaged, has something after its end, or unfolds without bounds; those of `bytes`.
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
    `[${read}] bytes of ${compression} unfold to more than [${written}]: this looks like an attack`,
  );
}
