// What a user is told of damage: of layers that are no image's, and of archives.
import { ImagesError, isImagesError } from '../oci/errors.ts';

export const DAMAGED_HINT = 'The image is damaged, or was made by a broken tool: `images check` tells more.';

export function damagedImage(message: string): ImagesError {
  return new ImagesError('TAR_INVALID', message, { hint: DAMAGED_HINT });
}

/** What to throw instead of `error`. `label` is what the user named: it is put beside the reader's own words. */
export function inArchive(error: unknown, label: string): unknown {
  if (!isImagesError(error, 'TAR_INVALID', 'COMPRESSION_INVALID') || error.message.includes(label)) return error;
  return new ImagesError(error.code, `${error.message} [${label}]`, {
    hint: error.hint ?? 'The archive is damaged or was not written to its end: make it again.',
    cause: error,
  });
}
