// The log of the embedded registry that `lreg_start` starts: DIR/images/registry.log, and the one before it beside it.
import { copyFileSync, fstatSync, ftruncateSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../../io/files/atomic-file.ts';
import { translateFsError } from '../../io/files/fs-errors.ts';

/** In bytes. */
export const MAX_LOG = 16 * 1024 * 1024;

export interface Log {
  readonly path: string;
  /** A file descriptor, to which is appended. The caller closes it. */
  readonly file: number;
  /** What is before this byte was written by earlier registries. */
  readonly from: number;
}

/** Opens the log for a new process. A log larger than MAX_LOG becomes `registry.log.1`, in place of an older one. Errors: NO_ACCESS, READ_ONLY, NO_SPACE. */
export async function openLog(data: string): Promise<Log> {
  const path = logPath(data);
  try {
    await makeDirectory(join(data, 'images'));
    const large = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG;
    if (large) renameSync(path, `${path}.1`);
    const file = openSync(path, 'a', 0o644);
    return { path, file, from: fstatSync(file).size };
  } catch (error) {
    throw translateFsError(error, path);
  }
}

/**
 * Of a log that a running registry writes to through `file`, which has `size` bytes: if it has become too large, what is there is copied to `registry.log.1`, and the
 * log begins anew. It stays the same file, so that other processes, and a crash of this one, write to it. Does nothing for any other file.
 */
export function keepLogSmall(data: string, file: number, size: number): void {
  if (size <= MAX_LOG) return;
  const path = logPath(data);
  const [open, there] = [fstatSync(file), statSync(path, { throwIfNoEntry: false })];
  if (!there || there.ino !== open.ino || there.dev !== open.dev) return;
  const copy = `${path}.1~`;
  try {
    copyFileSync(path, copy);
    renameSync(copy, `${path}.1`);
  } catch (error) {
    rmSync(copy, { force: true });
    throw error;
  }
  ftruncateSync(file, 0);
}

/** What has been written since the log was opened. */
export function saidSince({ path, from }: Pick<Log, 'path' | 'from'>): string {
  return readFileSync(path).subarray(from).toString();
}

/** Removes the log of a store that was never used. */
export function removeLog(data: string): void {
  rmSync(logPath(data), { force: true });
}

export function logPath(data: string): string {
  return join(data, 'images/registry.log');
}
