// Node's decompressors of gzip and zstd: they work on threads of their own, ahead of who reads.
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Bytes } from '../streams/bytes.ts';
import { gatherer } from '../streams/gatherer.ts';
import { tapped } from '../streams/verify.ts';
import type { Compression } from './compression.ts';
import { breaksOff, compressionInvalid, trailing } from './compression-invalid.ts';
import { throughEngine } from './through-engine.ts';
import { zstdFrames } from './zstd-frames.ts';

/** Measured: with Node's 16 KiB, half of the time goes by in handing over; more than this brings nothing. */
const CHUNK = 1 << 18;
/** What is inflated ahead of who reads. */
const AHEAD = 4 * CHUNK;
/** Each piece handed to the thread costs the same, however small. */
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
    // Node takes a zero after a member of gzip for the end of all, whatever follows.
    if (engine.bytesWritten < given) throw trailing(compression);
  } catch (error) {
    throw isZlibError(error) ? translated(compression, error) : error;
  }
}

/** Small chunks as fewer, larger ones. */
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
