// How a layer is read whole, from a place whose blobs are believed: bytes that have a checksum of their own are not hashed as well; and what proves wrong is
// hashed then, so that its place notes it.
import { peekCompression } from '../io/compression/compression.ts';
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { isGzipType } from '../oci/media-types.ts';
import type { Layer } from './contract.ts';
import { DAMAGED_HINT } from './damaged.ts';

/** The blob, for who reads it to its end. Gzip has checksums; what only claims to be gzip may be what a power cut has left. */
export async function openToEnd(layer: Layer, options: CallOptions): Promise<Bytes> {
  if (!isGzipType(layer.descriptor.mediaType)) return await layer.open(options);
  const { compression, body } = await peekCompression(await layer.open({ ...options, unverified: true }));
  if (compression === 'gzip') return body;
  await body[Symbol.asyncIterator]().return?.();
  return await layer.open(options);
}

/**
 * What to throw for what a layer that was opened `unverified` proved to be. Where its blob is not what its digest says, that: `error` is what came of it.
 * Else the layer was made so.
 */
export async function settled(layer: Layer, error: unknown, options: CallOptions): Promise<unknown> {
  if (!isImagesError(error, 'TAR_INVALID', 'COMPRESSION_INVALID', 'DIGEST_INVALID')) return error;
  try {
    await layer.settle?.(options);
    return error;
  } catch (found) {
    if (!isImagesError(found, 'DIGEST_INVALID', 'SIZE_INVALID')) return error;
    return new ImagesError(found.code, found.message, { hint: found.hint ?? DAMAGED_HINT, cause: found });
  }
}
