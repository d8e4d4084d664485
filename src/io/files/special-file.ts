// Whether a path can be replaced by a new file, or must be written in place (a device, a pipe).
import { readlink, stat } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { isFsError } from './fs-errors.ts';

/** `file`: a regular file, or nothing yet. `special`: a device or a pipe, which is written in place and never replaced. */
export type TargetKind = 'file' | 'directory' | 'special';

/** What `/dev/stdout` is depends on the process, and even if it is a file now, nothing may be renamed there. `/dev/shm` is a directory as any other. */
const ALWAYS_SPECIAL = /^\/(?:dev(?!\/shm(?:\/|$))|proc)\//;

/** Paths in /dev and /proc are always special, except those in /dev/shm. */
export async function targetAt(path: string): Promise<TargetKind> {
  if (ALWAYS_SPECIAL.test(path)) return 'special';
  try {
    const info = await stat(path);
    return info.isFile() ? 'file' : info.isDirectory() ? 'directory' : 'special';
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return 'file';
    throw error;
  }
}

/** The same limit as the kernel's. */
const MOST_LINKS = 40;

/** The target of a symbolic link, also if it does not exist yet: writing to a link replaces or makes its target and keeps the link. Errors: ELOOP. */
export async function behindLinks(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links <= MOST_LINKS; links++) {
    const to = await readlink(at).catch(() => undefined);
    if (to === undefined) return at;
    // Not `join`, which resolves `..` in the text: behind a link to a directory, `..` is the parent of the link's target.
    at = isAbsolute(to) ? to : `${dirname(at)}/${to}`;
  }
  throw Object.assign(new Error(`ELOOP: links that lead in a circle [${path}]`), {
    code: 'ELOOP',
    syscall: 'readlink',
    path,
  });
}
