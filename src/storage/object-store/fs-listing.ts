// How the keys of a store in a directory are listed, in byte order. Small folders are read without the thread pool, large ones are cached (large-folders).
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectInfo } from '../objects.ts';
import { unlessAbsent } from './fs-absence.ts';
import { LargeFolders, namesInFolder } from './large-folders.ts';
import type { QuickCalls } from './quick-calls.ts';

export interface FsListing {
  /** The files below `prefix` (ends with `/`, or is empty), in the order of their keys, those after `after`. */
  list(prefix: string, after: string | undefined): AsyncGenerator<ObjectInfo>;
  /** Whether there is a file in the folder, at any depth. */
  any(prefix: string): Promise<boolean>;
  /** The names in the folder; those of folders end with `/`. */
  children(prefix: string): Promise<readonly string[]>;
}

/** Folders that a listing reads at the same time. */
const AHEAD = 8;
/** In bytes, of the folder itself: some dozens of names, in one block of the disk. */
const SMALL_FOLDER = 4096;
const NO_ERROR = { throwIfNoEntry: false } as const;
const WITH_TYPES = { withFileTypes: true } as const;

/** `info` says what is under a key. */
export function fsListing(
  directory: string,
  quick: QuickCalls,
  info: (key: string) => Promise<ObjectInfo | undefined>,
): FsListing {
  const folders = new LargeFolders();

  /** What is in a small folder, if it may be looked at without the thread pool: a walk looks into a folder for each name. `undefined` if it may not. */
  function smallFolder(path: string): readonly Dirent[] | undefined {
    if (!quick.allowed()) return undefined;
    const found = quick.run(() => statSync(path, NO_ERROR));
    if (!found?.isDirectory()) return [];
    return found.size <= SMALL_FOLDER ? quick.run(() => readdirSync(path, WITH_TYPES)) : undefined;
  }

  async function holdsFile(path: string): Promise<boolean> {
    for await (const entry of smallFolder(path) ?? (await opendir(path))) {
      if (entry.isFile()) return true;
      if (entry.isDirectory() && (await unlessAbsent(() => holdsFile(join(path, entry.name))))) return true;
    }
    return false;
  }

  /** Sorted so that a recursive walk meets all keys in byte order: `a-b` before `a/`. */
  async function entries(path: string): Promise<readonly string[]> {
    const names = await unlessAbsent(async () => {
      const found = quick.allAllowed() ? quick.run(() => readdirSync(path, WITH_TYPES)) : smallFolder(path);
      return found ? namesInFolder(found) : await folders.names(path);
    });
    return names ?? [];
  }

  /** Reads folders before their turn, several at a time: most of a listing is waiting for the file system. Who stops early has read few in vain. */
  async function* listNames(
    prefix: string,
    names: readonly string[],
    after: string | undefined,
  ): AsyncGenerator<ObjectInfo> {
    const keys = names
      .map((name) => `${prefix}${name}`)
      .filter((key) => after === undefined || key > after || (key.endsWith('/') && after.startsWith(key)));
    const ahead: Promise<readonly string[]>[] = [];
    let next = 0;
    for (const [at, key] of keys.entries()) {
      for (; next < Math.min(keys.length, 2 * at + 1, at + AHEAD); next++) {
        const folder = keys[next] as string;
        const reading = folder.endsWith('/') ? entries(join(directory, folder)) : Promise.resolve([]);
        // Its error is thrown when its turn comes.
        reading.catch(() => undefined);
        ahead.push(reading);
      }
      const reading = ahead.shift();
      if (key.endsWith('/')) {
        yield* listNames(key, (await reading) ?? [], after);
      } else {
        const found = await info(key);
        if (found) yield found;
      }
    }
  }

  return {
    list: async function* (prefix, after) {
      yield* listNames(prefix, await entries(join(directory, prefix)), after);
    },
    any: async (prefix) => (await unlessAbsent(() => holdsFile(join(directory, prefix)))) ?? false,
    children: (prefix) => entries(join(directory, prefix)),
  };
}
