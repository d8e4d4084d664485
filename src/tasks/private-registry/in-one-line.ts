// An error as one line of the log of a registry.
import { isImagesError } from '../../oci/errors.ts';

export function inOneLine(error: unknown): string {
  if (!isImagesError(error)) return String(error);
  return error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
}
