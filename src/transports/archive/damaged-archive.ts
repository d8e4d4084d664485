// What is said of an archive that is damaged: the reader's own words, and which archive it was.
import { ImagesError, isImagesError } from '../../oci/errors.ts';

/** What to throw instead of `error`. `place` is what the user named. */
export function inArchive(error: unknown, label: string): unknown {
  if (!isImagesError(error, 'TAR_INVALID', 'COMPRESSION_INVALID') || error.message.includes(label)) return error;
  return new ImagesError(error.code, `${error.message} [${label}]`, {
    hint: error.hint ?? 'The archive is damaged or was not written to its end: make it again.',
    cause: error,
  });
}
