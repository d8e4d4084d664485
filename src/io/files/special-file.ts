// What a path is to who wants to write a file there.
import { readlink, stat } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { isFsError } from './fs-errors.ts';

/** `file` also where nothing is yet; `special` is what is written to as it is and never replaced: a device, a pipe. */
export type TargetKind = 'file' | 'directory' | 'special';

/** What `/dev/stdout` is depends on who looks: nothing is ever renamed there, also where it is a file just now. */
export async function targetAt(path: string): Promise<TargetKind> {
  if (/^\/(?:dev|proc)\//.test(path)) return 'special';
  try {
    const info = await stat(path);
    return info.isFile() ? 'file' : info.isDirectory() ? 'directory' : 'special';
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return 'file';
    throw error;
  }
}

/** As many as the kernel follows. */
const MOST_LINKS = 40;

/** Where links lead, also where nothing is there yet: a link that is written to stays one, and what it leads to is replaced or made. Errors: ELOOP. */
export async function behindLinks(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links <= MOST_LINKS; links++) {
    const to = await readlink(at).catch(() => undefined);
    if (to === undefined) return at;
    // Not joined: `..` behind a link to a directory leads from where that is.
    at = isAbsolute(to) ? to : `${dirname(at)}/${to}`;
  }
  throw Object.assign(new Error(`ELOOP: links that lead in a circle [${path}]`), {
    code: 'ELOOP',
    syscall: 'readlink',
    path,
  });
}
