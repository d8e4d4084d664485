// Translates file system errors: those that a user can mend become an ImagesError with a hint, all others stay as they are.
import { type ErrorCode, ImagesError } from '../../oci/errors.ts';

const TRANSLATIONS: Readonly<Record<string, readonly [code: ErrorCode, what: string, hint: string]>> = {
  ENOSPC: ['NO_SPACE', 'no space left', 'Free space there, or choose a directory on another file system.'],
  EDQUOT: ['NO_SPACE', 'the disk quota is used up', 'Free space there, or choose a directory on another file system.'],
  EFBIG: ['NO_SPACE', 'the file would be larger than allowed', 'Raise the limit on file sizes (ulimit -f).'],
  EROFS: ['READ_ONLY', 'the file system is read-only', 'Mount it for writing, or choose another path.'],
  EACCES: ['NO_ACCESS', 'permission denied', 'Run as the user it belongs to, or choose another path.'],
  EPERM: ['NO_ACCESS', 'not permitted', 'Run as the user it belongs to, or choose another path.'],
};

/** Whether it is a file system error with one of these codes (`ENOENT`, …). */
export function isFsError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Whether the system returned this error for a call (open, rename, …). False for a call with wrong arguments, which is a bug. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

/** The error to throw instead of `error`: NO_SPACE, READ_ONLY or NO_ACCESS for `path`, or `error` itself. `use` says what the path is used for. */
export function translateFsError(
  error: unknown,
  path: string,
  use?: { readonly what: string; readonly hint: string },
): unknown {
  const own = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  const translation = own === undefined ? undefined : TRANSLATIONS[own];
  if (!translation) return error;
  const [code, what, hint] = translation;
  const message = use ? `${what} for ${use.what} [${path}]` : `${what} [${path}]`;
  return new ImagesError(code, message, { hint: own === 'EFBIG' ? hint : (use?.hint ?? hint), cause: error });
}

/** Runs `work` and translates the file system errors that it throws. */
export async function translatingFsErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translateFsError(error, path);
  }
}
