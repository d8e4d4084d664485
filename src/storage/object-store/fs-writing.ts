// How files of a store in a directory get their names and lose them. Relies on rename and link being atomic: readers see a whole file or none.
import { randomUUID } from 'node:crypto';
import { link, open, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { inDirectory } from '../../io/files/atomic-file.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import { isAbsent, unlessAbsent } from './fs-absence.ts';
import type { FsFolders } from './fs-folders.ts';

export interface FsWriting {
  /** Returns false if the file exists and `ifAbsent` is set. */
  put(
    path: string,
    bytes: Uint8Array,
    options: { readonly ifAbsent?: boolean; readonly volatile?: boolean },
  ): Promise<boolean>;
  /** Gives a finished file its final name. Returns false if that exists and `ifAbsent` is set; the file stays where it is then. */
  publish(from: string, path: string, options: { readonly ifAbsent: boolean }): Promise<boolean>;
  /** Returns false if there is no such file. With `ifAbsent`, a file of the new name stays as it is, and the old name goes anyway. */
  move(from: string, to: string, options: { readonly ifAbsent: boolean }): Promise<boolean>;
  /** Removes a file, if it is there. */
  remove(path: string): Promise<void>;
  /** Removes a folder with all that is in it. */
  removeAll(path: string): Promise<void>;
}

/** `temporary`: the folder for unfinished files, on the same file system. */
export function fsWriting(folders: FsFolders, temporary: string): FsWriting {
  /** Writes a new file in place, which is cheaper. Its readers treat a truncated file as absent. */
  async function putNew(path: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await using handle = await folders.inMade(path, (final) => open(final, 'wx'));
      await handle.writeFile(bytes);
      return true;
    } catch (error) {
      if (isFsError(error, 'EEXIST')) return false;
      throw error;
    }
  }

  async function replace(path: string, bytes: Uint8Array, volatile: boolean | undefined): Promise<true> {
    const written = await writeTemporary(temporary, bytes, volatile);
    try {
      await folders.inMade(path, (final) => rename(written, final));
    } catch (error) {
      await unlink(written);
      throw error;
    }
    return true;
  }

  return {
    put: (path, bytes, { ifAbsent, volatile }) => (ifAbsent ? putNew(path, bytes) : replace(path, bytes, volatile)),
    publish: async (from, path, { ifAbsent }) => {
      if (ifAbsent) {
        if (!(await folders.inMade(path, (final) => linkUnlessThere(from, final)))) return false;
        await unlink(from);
      } else {
        await folders.inMade(path, (final) => rename(from, final));
      }
      return true;
    },
    move: async (from, to, { ifAbsent }) => {
      if (!(await unlessAbsent(() => stat(from)))?.isFile()) return false;
      try {
        if (!ifAbsent) {
          await folders.inMade(to, (final) => rename(from, final), { isExpected: true });
        } else {
          await folders.inMade(to, (final) => linkUnlessThere(from, final), { isExpected: true });
          await unlessAbsent(() => unlink(from));
        }
      } catch (error) {
        // Another process was faster.
        if (isAbsent(error)) return false;
        throw error;
      }
      await folders.prune(from);
      return true;
    },
    remove: async (path) => {
      try {
        await unlink(path);
      } catch (error) {
        if (isAbsent(error)) return;
        throw error;
      }
      await folders.prune(path);
    },
    removeAll: async (path) => {
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      await folders.prune(path);
    },
  };
}

/**
 * Writes the bytes to a temporary file and syncs it, because it may replace an older object and a power cut must not leave an
 * empty file in its place. `volatile`: that would do no harm, so it is not synced.
 */
async function writeTemporary(directory: string, bytes: Uint8Array, volatile = false): Promise<string> {
  const path = join(directory, `${process.pid}-${randomUUID()}`);
  const handle = await inDirectory(directory, () => open(path, 'wx'));
  try {
    await handle.writeFile(bytes);
    if (!volatile) await handle.datasync();
  } catch (error) {
    await unlink(path);
    throw error;
  } finally {
    await handle.close();
  }
  return path;
}

/** Not every file system has hard links. Without them, two writers of the same key write the same content, so a rename is safe. */
async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isFsError(error, 'EEXIST')) return false;
    if (!isFsError(error, 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
    if ((await unlessAbsent(() => stat(to)))?.isFile()) return false;
    await rename(from, to);
    return true;
  }
}
