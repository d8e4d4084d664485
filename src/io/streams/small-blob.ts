// Reads blobs into memory that should be small (configs), with a limit in case they are not.
import { ImagesError } from '../../oci/errors.ts';
import { MAX_MANIFEST_SIZE } from '../../oci/manifest.ts';
import type { Bytes } from './bytes.ts';
import { type Expected, verified } from './verify.ts';

/** The verified bytes of a blob of at most `MAX_MANIFEST_SIZE`. Errors: MANIFEST_INVALID (too large), DIGEST_INVALID, SIZE_INVALID, those of `open`. */
export async function readSmallBlob({ digest, size }: Expected, open: () => Promise<Bytes>): Promise<Uint8Array> {
  if (size > MAX_MANIFEST_SIZE) throw new ImagesError('MANIFEST_INVALID', `it is too large [${size} bytes]`);
  return Buffer.concat(await Array.fromAsync(verified(await open(), { digest, size })));
}
