// Reads a whole layer from a source whose blobs are trusted. A format with its own checksums is not hashed in addition. If the data proves wrong, the blob is
// hashed then, so that the source can record it.
import { peekCompression } from '../io/compression/compression.ts';
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { isGzipType } from '../oci/media-types.ts';
import type { Layer } from './contract.ts';
import { DAMAGED_HINT } from './damaged.ts';

/** Opens the blob for reading to its end. Gzip has checksums; but a blob that only claims to be gzip may be damaged by a power cut. */
export async function openToEnd(layer: Layer, options: CallOptions): Promise<Bytes> {
  if (!isGzipType(layer.descriptor.mediaType)) return await layer.open(options);
  const { compression, body } = await peekCompression(await layer.open({ ...options, unverified: true }));
  if (compression === 'gzip') return body;
  await body[Symbol.asyncIterator]().return?.();
  return await layer.open(options);
}

/**
 * The error to throw if a layer that was opened `unverified` is invalid: the wrong digest if the blob does not match its own (`error` is then only a
 * consequence), else `error`, because the layer was made like this.
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
