// What an error of the registry is, for its operators: a code and one line.
import { translateFsError } from '../io/files/fs-errors.ts';
import { quote } from '../io/text/quote.ts';
import { ImagesError } from '../oci/errors.ts';
import { isSuppressedError } from '../oci/suppressed-error.ts';

/** In characters. */
const LONGEST = 1000;

/** `INTERNAL` for what nobody expected. */
export function errorText(thrown: unknown): { readonly code: string; readonly text: string } {
  let first = thrown;
  while (isSuppressedError(first)) first = first.suppressed;
  const { path } = (first ?? {}) as NodeJS.ErrnoException;
  const error = path === undefined ? first : translateFsError(first, path);
  if (error instanceof ImagesError) return { code: error.code, text: quote(error.message, LONGEST) };
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'INTERNAL', text: `internal error: ${quote(message, LONGEST)}` };
}
