// What is said of parts of an image that its place lacks, or has otherwise than the image says.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';

/** A blob that the image names and its place lacks; `why` where there is more to say. */
export function noBlob(digest: Digest, label: string, why?: string): ImagesError {
  return new ImagesError('BLOB_UNKNOWN', `it has no blob ${digest}${why ? `: ${why}` : ''} [${label}]`, {
    hint: 'It is damaged, or was not written to its end: put the image there again.',
  });
}

/** Errors: SIZE_INVALID unless what is there has as many bytes as the descriptor says. */
export function requireSize(what: 'blob' | 'manifest', found: number, { digest, size }: Descriptor): void {
  if (found === size) return;
  throw new ImagesError('SIZE_INVALID', `${what} has ${found} bytes, expected ${size} [${digest}]`);
}

/** Of a manifest that is put before what it names. */
export function blobNotPut(digest: Digest): ImagesError {
  return new ImagesError('MANIFEST_BLOB_UNKNOWN', `blob ${digest} of the manifest is not there`);
}
