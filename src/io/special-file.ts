// What a path is to who wants to write a file there.
import { stat } from 'node:fs/promises';
import { isFsError } from './fs-errors.ts';

/** `file` also where nothing is yet; `special` is what is written to as it is and never replaced: a device, a pipe. */
export type Target = 'file' | 'directory' | 'special';

/** What `/dev/stdout` is depends on who looks: nothing is ever renamed there, also where it is a file just now. */
export async function targetAt(path: string): Promise<Target> {
  if (/^\/(?:dev|proc)\//.test(path)) return 'special';
  try {
    const info = await stat(path);
    return info.isFile() ? 'file' : info.isDirectory() ? 'directory' : 'special';
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return 'file';
    throw error;
  }
}
