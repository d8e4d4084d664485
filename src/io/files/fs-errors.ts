// File system errors in the words of the program: what a user can mend becomes an ImagesError with a hint, all else stays as it is.
import { type ErrorCode, ImagesError } from '../../oci/errors.ts';

const TRANSLATIONS: Readonly<Record<string, readonly [code: ErrorCode, what: string, hint: string]>> = {
  ENOSPC: ['NO_SPACE', 'no space left', 'Free space there, or choose a place on another file system.'],
  EDQUOT: ['NO_SPACE', 'the disk quota is used up', 'Free space there, or choose a place on another file system.'],
  EFBIG: ['NO_SPACE', 'the file would be larger than allowed', 'Raise the limit on file sizes (ulimit -f).'],
  EROFS: ['READ_ONLY', 'the file system is read-only', 'Mount it for writing, or choose another place.'],
  EACCES: ['NO_ACCESS', 'permission denied', 'Run as the user it belongs to, or choose another place.'],
  EPERM: ['NO_ACCESS', 'not permitted', 'Run as the user it belongs to, or choose another place.'],
};

/** True for a file system error with one of these codes (`ENOENT`, …). */
export function isFsError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}

/** True for whatever the system answers to a call (open, rename, …): not for a call that is wrong in itself. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

/** What to throw instead of `error`: NO_SPACE, READ_ONLY or NO_ACCESS naming `place`, else the error itself. `use` says what the place is there for. */
export function translateFsError(
  error: unknown,
  place: string,
  use?: { readonly what: string; readonly hint: string },
): unknown {
  const own = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  const translation = own === undefined ? undefined : TRANSLATIONS[own];
  if (!translation) return error;
  const [code, what, hint] = translation;
  const message = use ? `${what} for ${use.what} [${place}]` : `${what} [${place}]`;
  return new ImagesError(code, message, { hint: own === 'EFBIG' ? hint : (use?.hint ?? hint), cause: error });
}

/** Runs `work`; file system errors that it throws come out translated. */
export async function translatingFsErrors<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translateFsError(error, place);
  }
}
