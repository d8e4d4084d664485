// A flat folder of small JSON files, remembered between runs: bounded, so that it needs no care, and never an error, as all in it can be found out again.
// Several processes may use one at once: relies on rename being atomic, and on nobody minding that an entry is gone.
import { constants } from 'node:fs';
import { lstat, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isImagesError } from '../../oci/errors.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { isSystemError } from './fs-errors.ts';

/** Names are plain file names, of at most 210 bytes. */
export interface CacheFolder {
  /** Its JSON, which anybody may have written: `undefined` where there is none, or a broken one. */
  read(name: string): Promise<unknown>;
  /** A power cut may leave what was there before, or nothing; so does a place that cannot be written. */
  write(name: string, value: object): Promise<void>;
}

/** In bytes: what is larger was not written by this program. */
const LARGEST = 64 << 20;
/** Of the bound, when it is passed: so that not every later run has to look how old everything is. */
const KEPT = 3 / 4;

/** `most` is how many entries it holds, but for what one process adds: who writes looks once. The oldest go first. */
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
  // Opening a pipe waits for its writer else.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const info = await file.stat();
    return info.isFile() && info.size <= LARGEST ? JSON.parse(await file.readFile('utf8')) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  } finally {
    await file.close();
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
  // What has gone since was removed by another process.
  const entries = found.filter((entry) => entry !== undefined).sort((a, b) => b.modified - a.modified);
  // Earlier versions of the program left directories.
  const old = entries.slice(Math.floor(most * KEPT));
  await Promise.all(old.map(({ path }) => unlessRefused(() => rm(path, { recursive: true, force: true }))));
}

/** `undefined` where the system refuses it; a bug is thrown. */
async function unlessRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isImagesError(error) && !isSystemError(error)) throw error;
    return undefined;
  }
}
