// Options whose value is a whole number from 1.
import { ImagesError } from '../../oci/errors.ts';

/** Errors: USAGE. */
export function positiveNumber(text: string, option: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new ImagesError('USAGE', `${option} takes a whole number from 1 [${text}]`);
}
