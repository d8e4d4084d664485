// A hint for the case that the default data directory cannot be written: name another one.
import { isFsError, translateFsError } from '../../io/files/fs-errors.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { usualDataDirectory } from '../../tasks/private-registry/registry-state.ts';
import type { Context } from '../process/context.ts';

/** `isNamed`: --data was given. Returns the error with another hint if it is about the default data directory; any other error unchanged. */
export function namingDataDirectory(thrown: unknown, isNamed: boolean, { env, home }: Context): unknown {
  const { path } = thrown as NodeJS.ErrnoException;
  const error = path === undefined ? thrown : translateFsError(thrown, path);
  if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) return error;
  if (env.IMAGES_DATA || isNamed) return error;
  const failed = pathOf(error);
  const usual = usualDataDirectory({ env, home });
  if (failed === undefined || usual === undefined || !isWithin(failed, usual)) return error;
  const hint = 'Images are kept below the home directory: name another directory with --data=DIR or $IMAGES_DATA.';
  return new ImagesError(error.code, error.message, { hint, cause: error });
}

/** The path in the message, or that of the system call. */
function pathOf({ message, cause }: ImagesError): string | undefined {
  const path = isFsError(cause, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT') ? cause.path : undefined;
  const line = message.slice(message.lastIndexOf('\n') + 1);
  const at = line.indexOf('[/');
  return at >= 0 && line.endsWith(']') ? line.slice(at + 1, -1) : path;
}

/** Also true if `failed` is a parent of the directory. */
function isWithin(failed: string, directory: string): boolean {
  return failed === directory || failed.startsWith(`${directory}/`) || directory.startsWith(`${failed}/`);
}
