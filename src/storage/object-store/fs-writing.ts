// How files of a store in a directory get their names and lose them. Relies on rename and link being atomic: readers see a whole file or none.
import { randomUUID } from 'node:crypto';
import { renameSync, type Stats } from 'node:fs';
import { link, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { inDirectory } from '../../io/files/atomic-file.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import { writeNewFile } from '../../io/files/new-file.ts';
import { isAbsent, unlessAbsent } from './fs-absence.ts';
import type { FsFolders } from './fs-folders.ts';
import type { QuickCalls } from './quick-calls.ts';

export interface FsWriting {
  /** Without the thread pool, where that is allowed. */
  renamed(from: string, to: string): Promise<void>;
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

export interface FsWritingOptions {
  readonly folders: FsFolders;
  /** The folder for unfinished files, on the same file system. */
  readonly temporary: string;
  /** When small content may be written without the thread pool. */
  readonly quick: QuickCalls;
  /** When files may be made and renamed without the thread pool. */
  readonly quickNames: QuickCalls;
  /** Told of a file that has this name now, and whose content is on disk. */
  readonly onSynced: (path: string, file: Stats) => void;
}

/** In bytes: so much is written to the kernel's memory at once. */
const SMALL = 64 * 1024;

export function fsWriting({ folders, temporary, quick, quickNames, onSynced }: FsWritingOptions): FsWriting {
  /** Where a new file may be written to without the thread pool, how. */
  const writingOf = (bytes: Uint8Array) =>
    bytes.length <= SMALL && quick.allowed()
      ? { atOnce: quick.run, ...(quickNames.allowed() && { madeAtOnce: quickNames.run }) }
      : {};
  const renamed = async (from: string, to: string) =>
    quickNames.allowed() ? quickNames.run(() => renameSync(from, to)) : await rename(from, to);

  /** Writes a new file in place, which is cheaper. Its readers treat a truncated file as absent. */
  async function putNew(path: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await folders.inMade(path, (final) => writeNewFile(final, bytes, writingOf(bytes)));
      return true;
    } catch (error) {
      if (isFsError(error, 'EEXIST')) return false;
      throw error;
    }
  }

  /** Syncs the new content first, because a power cut must not leave an empty file in place of an older one. `volatile`: that would do no harm. */
  async function replace(path: string, bytes: Uint8Array, volatile = false): Promise<true> {
    const from = join(temporary, `${process.pid}-${randomUUID()}`);
    try {
      const how = { synced: !volatile, ...writingOf(bytes) };
      const file = await inDirectory(temporary, () => writeNewFile(from, bytes, how));
      await folders.inMade(path, (final) => renamed(from, final));
      if (!volatile) onSynced(path, file);
    } catch (error) {
      await unlessAbsent(() => unlink(from));
      throw error;
    }
    return true;
  }

  return {
    renamed,
    put: (path, bytes, { ifAbsent, volatile }) => (ifAbsent ? putNew(path, bytes) : replace(path, bytes, volatile)),
    publish: async (from, path, { ifAbsent }) => {
      if (ifAbsent) {
        if (!(await folders.inMade(path, (final) => linkUnlessThere(from, final)))) return false;
        await unlink(from);
      } else {
        await folders.inMade(path, (final) => renamed(from, final));
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
