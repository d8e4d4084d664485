// Errors for damaged layers and archives.
import { ImagesError, isImagesError } from '../oci/errors.ts';

export const DAMAGED_HINT = 'The image is damaged, or was made by a broken tool: `images check` tells more.';

export function damagedImage(message: string): ImagesError {
  return new ImagesError('TAR_INVALID', message, { hint: DAMAGED_HINT });
}

/** The error to throw instead of `error`. It adds `label`, the name that the user gave, to the reader's message. */
export function inArchive(error: unknown, label: string): unknown {
  if (!isImagesError(error, 'TAR_INVALID', 'COMPRESSION_INVALID') || error.message.includes(label)) return error;
  return new ImagesError(error.code, `${error.message} [${label}]`, {
    hint: error.hint ?? 'The archive is damaged or was not written to its end: make it again.',
    cause: error,
  });
}
