// A cache between runs: a flat folder of small JSON files. Its size is bounded, and it never throws, because everything in it can be recomputed.
// Several processes may use it at once: relies on rename being atomic, and on an entry being allowed to vanish at any time.
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isImagesError } from '../../oci/errors.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { isSystemError } from './fs-errors.ts';
import { readWholeFile } from './whole-file.ts';

/** Names are plain file names, of at most 210 bytes. */
export interface CacheFolder {
  /** The parsed JSON, which anybody may have written; `undefined` if there is no entry, or it is broken. */
  read(name: string): Promise<unknown>;
  /** Best effort: after a power cut, or if the folder cannot be written, the old entry or none may be there. */
  write(name: string, value: object): Promise<void>;
}

/** In bytes. A larger file was not written by this program. */
const LARGEST = 64 << 20;
/** When there are more than `most` entries, it is cut down to this part of `most`, so that the next runs need not check again. */
const KEPT = 3 / 4;

/** Holds `most` entries, and in between those that one process adds: it counts them only once. The oldest are removed first. */
export function cacheFolder(directory: string, { most }: { readonly most: number }): CacheFolder {
  let bounded: Promise<void> | undefined;
  return {
    read: (name) => unlessRefused(() => readJson(join(directory, name))),
    write: (name, value) =>
      unlessRefused(async () => {
        await writeFileAtomically(join(directory, name), JSON.stringify(value), { durable: false });
        bounded ??= forgetOldest(directory, most);
        await bounded;
      }),
  };
}

async function readJson(path: string): Promise<unknown> {
  const text = await readWholeFile(path, LARGEST);
  try {
    return text instanceof Uint8Array ? JSON.parse(text.toString()) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function forgetOldest(directory: string, most: number): Promise<void> {
  const names = await readdir(directory);
  if (names.length <= most) return;
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const info = await unlessRefused(() => lstat(path));
      return info && { path, modified: info.mtimeMs };
    }),
  );
  // Entries that are `undefined` have been removed by another process in the meantime.
  const entries = found.filter((entry) => entry !== undefined).sort((a, b) => b.modified - a.modified);
  // Also removes directories, which earlier versions of the program left here.
  const old = entries.slice(Math.floor(most * KEPT));
  await Promise.all(old.map(({ path }) => unlessRefused(() => rm(path, { recursive: true, force: true }))));
}

/** The result of `work`; `undefined` if it fails with an ImagesError or a system error. Other errors are bugs and are thrown. */
async function unlessRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isImagesError(error) && !isSystemError(error)) throw error;
    return undefined;
  }
}
