// Removes HTTP content codings (RFC 9110, section 8.4). Some proxies apply them although `identity` was requested, and some hosts only claim them. This module
// is loaded only when an answer has one.
import type { Transform } from 'node:stream';
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';
import { ImagesError } from '../../oci/errors.ts';
import { throughEngine } from '../compression/through-engine.ts';
import type { Bytes } from '../streams/bytes.ts';

interface Decoder {
  /** Decodes a whole body. The first bytes tell zlib's format from raw deflate, which some hosts send under the same name. */
  whole(bytes: Uint8Array, limit: number): Uint8Array;
  stream(first: Uint8Array): Transform;
}

const bounded = (limit: number) => ({ maxOutputLength: limit });

const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip: { whole: (bytes, limit) => gunzipSync(bytes, bounded(limit)), stream: () => createGunzip() },
  deflate: {
    whole: (bytes, limit) => (isZlib(bytes) ? inflateSync : inflateRawSync)(bytes, bounded(limit)),
    stream: (first) => (isZlib(first) ? createInflate() : createInflateRaw()),
  },
  br: { whole: (bytes, limit) => brotliDecompressSync(bytes, bounded(limit)), stream: () => createBrotliDecompress() },
  zstd: { whole: (bytes, limit) => zstdDecompressSync(bytes, bounded(limit)), stream: () => createZstdDecompress() },
};

/** The bytes without their codings (the last in the list was applied last); `undefined` if they are malformed or decode to more than `limit` bytes. */
export function decodeBytes(bytes: Uint8Array, codings: readonly string[], limit: number): Uint8Array | undefined {
  try {
    return codings.reduceRight((coded, coding) => {
      const decoder = decoderOf(coding);
      if (!decoder) throw new Error(`unknown coding ${coding}`);
      return decoder.whole(coded, limit);
    }, bytes);
  } catch {
    return undefined;
  }
}

/** The same for a stream, whose decoded size the consumer has to limit. Errors: BAD_ANSWER for malformed data; those of the body. */
export function decodeStream(body: Bytes, codings: readonly string[]): Bytes {
  return codings.reduceRight<Bytes>((coded, coding) => decoded(coded, coding), body);
}

async function* decoded(body: Bytes, coding: string): AsyncGenerator<Uint8Array> {
  const decoder = decoderOf(coding);
  if (!decoder) throw notCoded(coding);
  const source = body[Symbol.asyncIterator]();
  const first = await source.next();
  if (first.done) return;
  try {
    yield* throughEngine(joined(first.value, source), decoder.stream(first.value));
  } catch (error) {
    throw error instanceof ImagesError || isAbort(error) ? error : notCoded(coding, error);
  }
}

async function* joined(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function decoderOf(coding: string): Decoder | undefined {
  const name = coding.replace(/^x-/, '');
  return Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
}

function isZlib([first = 0, second = 0]: Uint8Array): boolean {
  return (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function notCoded(coding: string, cause?: unknown): ImagesError {
  return new ImagesError('BAD_ANSWER', `the answer is not in the Content-Encoding that it claims [${coding}]`, {
    cause,
  });
}
