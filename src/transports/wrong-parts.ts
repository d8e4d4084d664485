// Errors for parts of an image that are missing, or differ from what the image says.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';

/** A blob that the image names and its source lacks. `why` is appended, if there is more to say. */
export function noBlob(digest: Digest, label: string, why?: string): ImagesError {
  return new ImagesError('BLOB_UNKNOWN', `it has no blob ${digest}${why ? `: ${why}` : ''} [${label}]`, {
    hint: 'It is damaged, or was not written to its end: put the image there again.',
  });
}

/** Errors: SIZE_INVALID if the size differs from the descriptor's. */
export function requireSize(what: 'blob' | 'manifest', found: number, { digest, size }: Descriptor): void {
  if (found === size) return;
  throw new ImagesError('SIZE_INVALID', `${what} has ${found} bytes, expected ${size} [${digest}]`);
}

/** The error for a manifest that is put before its blobs. */
export function blobNotPut(digest: Digest): ImagesError {
  return new ImagesError('MANIFEST_BLOB_UNKNOWN', `blob ${digest} of the manifest is not there`);
}
