// Atomic writes of small files, and the creation of the directories they need. Relies on rename being atomic.
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isFsError, translatingFsErrors } from './fs-errors.ts';
import { behindLinks } from './special-file.ts';

/**
 * Makes a directory and its parents. Returns the topmost directory that it made, `undefined` if all existed. (If the path is something other than a
 * directory, that shows when something is put into it.) Node's recursive mkdir is not used: it hides the error of a read-only file system, and never
 * returns in places like /proc, where no directory can be made.
 */
export async function makeDirectory(path: string): Promise<string | undefined> {
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    if (isFsError(error, 'EEXIST')) return undefined;
    if (!isFsError(error, 'ENOENT') || dirname(path) === path) throw error;
  }
  const directory = dirname(path);
  const above = await makeDirectory(directory);
  try {
    await makeLast(path);
  } catch (error) {
    const behind = isFsError(error, 'ENOENT') ? await behindLinks(directory) : directory;
    if (behind === directory) throw error;
    // A symbolic link to a directory that does not exist: the target is made, and the link stays.
    await makeDirectory(behind);
    await makeLast(path);
  }
  return above ?? path;
}

async function makeLast(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!isFsError(error, 'EEXIST')) throw error;
  }
}

/**
 * Runs `make` (which creates something in `directory`), and makes the directory if it is missing; repeats this if another process removes the
 * empty directory in between. `onMade` is told of the topmost directory that was made.
 */
export async function inDirectory<T>(
  directory: string,
  make: () => Promise<T>,
  onMade?: (first: string | undefined) => void,
): Promise<T> {
  let notMade: unknown;
  for (let attempt = 0; ; attempt++) {
    try {
      return await make();
    } catch (error) {
      if (!isFsError(error, 'ENOENT')) throw error;
      // `notMade` names the directory that is missing.
      if (attempt === 20) throw notMade ?? error;
    }
    try {
      const first = await makeDirectory(directory);
      onMade?.(first);
      notMade = undefined;
    } catch (error) {
      if (!isFsError(error, 'ENOENT')) throw error;
      notMade = error;
    }
  }
}

export interface AtomicWriteOptions {
  /** As in open(2), 0o666 by default. */
  readonly mode?: number;
  readonly durable?: boolean;
  /** The file's owner and mode are these, whatever the umask is. An owner that only root could give stays this process's, or is an error. */
  readonly like?: { readonly uid?: number; readonly gid?: number; readonly mode: number; readonly isStrict?: boolean };
}

/**
 * Writes a small file atomically: readers see the old content or the new one, also after a power cut (if `durable` is false, a power cut may leave
 * an empty file). Makes the directory. Errors: NO_SPACE, READ_ONLY, NO_ACCESS.
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  options: AtomicWriteOptions = {},
): Promise<void> {
  await translatingFsErrors(path, async () => {
    await makeDirectory(dirname(path));
    const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}`);
    const { like } = options;
    try {
      const handle = await open(temporary, 'wx', like ? 0o600 : (options.mode ?? 0o666));
      try {
        await handle.writeFile(content);
        if (like) await takeAfter(handle, like);
        if (options.durable !== false) await handle.datasync();
      } finally {
        await handle.close();
      }
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

async function takeAfter(handle: FileHandle, like: NonNullable<AtomicWriteOptions['like']>): Promise<void> {
  const own = await handle.stat();
  const { uid = own.uid, gid = own.gid, mode, isStrict = false } = like;
  if (own.uid !== uid || own.gid !== gid) {
    await handle.chown(uid, gid).catch((error: unknown) => {
      if (isStrict || !isFsError(error, 'EPERM')) throw error;
    });
  }
  // Afterwards: chown takes some bits away.
  await handle.chmod(mode & 0o777);
}
