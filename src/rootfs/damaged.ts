// What a user is told of layers that are no image's.
import { ImagesError } from '../oci/errors.ts';

export const DAMAGED_HINT = 'The image is damaged, or was made by a broken tool: `images check` tells more.';

export function damagedImage(message: string): ImagesError {
  return new ImagesError('TAR_INVALID', message, { hint: DAMAGED_HINT });
}
