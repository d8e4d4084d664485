// Node's decompressors of gzip and zstd. They run on threads of their own and read ahead of the consumer.
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Bytes } from '../streams/bytes.ts';
import { gatherer } from '../streams/gatherer.ts';
import { tapped } from '../streams/verify.ts';
import type { Compression } from './compression.ts';
import { breaksOff, compressionInvalid, trailing } from './compression-invalid.ts';
import { throughEngine } from './through-engine.ts';
import { zstdFrames } from './zstd-frames.ts';

/** In bytes. Measured: with Node's 16 KiB half of the time is spent on handing chunks over; larger chunks than this gain nothing. */
const CHUNK = 1 << 18;
/** In bytes. How much is decompressed ahead of the consumer. */
const AHEAD = 4 * CHUNK;
/** In bytes. Input is handed over in portions of this size, because each hand-over has a fixed cost. */
const PORTION = 1 << 18;

/** Errors: COMPRESSION_INVALID, those of `bytes`. */
export async function* throughZlib(compression: 'gzip' | 'zstd', bytes: Bytes): AsyncGenerator<Uint8Array, void> {
  const options = { chunkSize: CHUNK, readableHighWaterMark: AHEAD };
  const engine = compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  let given = 0;
  const portions = compression === 'zstd' ? zstdFrames(bytes, PORTION) : gathered(bytes);
  const counted = tapped(portions, ({ length }) => {
    given += length;
  });
  try {
    yield* throughEngine(counted, engine);
    // Node takes a zero byte after a gzip member as the end of the data and ignores what follows.
    if (engine.bytesWritten < given) throw trailing(compression);
  } catch (error) {
    throw isZlibError(error) ? translated(compression, error) : error;
  }
}

/** Joins small chunks into larger ones. */
async function* gathered(bytes: Bytes): AsyncGenerator<Uint8Array, void> {
  const portion = gatherer();
  for await (const chunk of bytes) if (portion.add(chunk).length() >= PORTION) yield portion.flush();
  if (portion.length() > 0) yield portion.flush();
}

function isZlibError(error: unknown): error is Error & { readonly code: string } {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^(?:Z_|ZSTD_)/.test(code);
}

function translated(compression: Compression, error: Error & { readonly code: string }): Error {
  return error.code === 'Z_BUF_ERROR' ? breaksOff(compression) : compressionInvalid(compression, error);
}
