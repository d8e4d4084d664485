// Files that are there whole or not at all, and the directories they need. Relies on rename being atomic.
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isFsError, translatingFsErrors } from './fs-errors.ts';
import { behindLinks } from './special-file.ts';

/**
 * Makes a directory and those above it. Returns the first that it made, `undefined` where all were there (what is no directory shows
 * when something is put into it). Not Node's recursive mkdir: that one hides what a read-only file system says, and never ends in a
 * place like /proc, where nothing can be made.
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
    // A link to what is not there yet: it is made, and the link stays one.
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
 * Makes something in `directory`, and the directory if it is lacking: again, if another process removes it, as empty, in between.
 * `onMade` is told of the first directory that was made for it.
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
      // Says which directory is not there.
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

/**
 * Writes a small file: readers see the old content or the new one, also after a power cut (unless `durable` is false: then perhaps
 * an empty one). Makes the directory. `mode` as in open(2), 0o666 when absent. Errors: NO_SPACE, READ_ONLY, NO_ACCESS.
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  options: { readonly mode?: number; readonly durable?: boolean } = {},
): Promise<void> {
  await translatingFsErrors(path, async () => {
    await makeDirectory(dirname(path));
    const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}`);
    try {
      const handle = await open(temporary, 'wx', options.mode ?? 0o666);
      try {
        await handle.writeFile(content);
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
