// Blobs that are read whole, because they are small or not what they claim to be: configs.
import { ImagesError } from '../../oci/errors.ts';
import { MAX_MANIFEST_SIZE } from '../../oci/manifest.ts';
import type { Bytes } from './bytes.ts';
import { type Expected, verified } from './verify.ts';

/** The blob's bytes, verified once, at most `MAX_MANIFEST_SIZE` of them. Errors: MANIFEST_INVALID (too large), DIGEST_INVALID, SIZE_INVALID, those of `open`. */
export async function readSmallBlob({ digest, size }: Expected, open: () => Promise<Bytes>): Promise<Uint8Array> {
  if (size > MAX_MANIFEST_SIZE) throw new ImagesError('MANIFEST_INVALID', `it is too large [${size} bytes]`);
  return Buffer.concat(await Array.fromAsync(verified(await open(), { digest, size })));
}
