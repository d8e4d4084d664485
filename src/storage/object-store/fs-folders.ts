// The folders of a store in a directory: they come with their first file and go with their last. Tells what syncs names of each change.
import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from '../../io/files/atomic-file.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import type { NameSyncs } from './fs-durability.ts';

export interface FsFolders {
  /**
   * Makes the folder of `path`, then runs `move`, which gives a file this name. Repeats both if another process removes the empty folder in between. With
   * `isExpected`, the folder is only made if it turns out to be missing.
   */
  inMade<T>(path: string, move: (path: string) => Promise<T>, options?: { readonly isExpected?: boolean }): Promise<T>;
  /** After `path` was removed: removes the folders above it that became empty. */
  prune(path: string): Promise<void>;
}

/** Other processes may remove an empty folder that often before it counts as an error. */
const MOST_ATTEMPTS = 20;

/** `root` stays. It is normalised like the paths that `join` makes below it: their lengths decide where the way up ends. */
export function fsFolders(root: string, syncs: NameSyncs): FsFolders {
  return {
    inMade: async (path, move, { isExpected = false } = {}) => {
      for (let attempt = 0; ; attempt++) {
        if (attempt > 0 || !isExpected) syncs.made(await makeDirectory(dirname(path)), dirname(path));
        try {
          const result = await move(path);
          syncs.changed(path);
          return result;
        } catch (error) {
          if (!isFsError(error, 'ENOENT') || attempt === MOST_ATTEMPTS) throw error;
        }
      }
    },
    prune: async (path) => {
      syncs.changed(path);
      for (let at = dirname(path); at.length > root.length; at = dirname(at)) {
        try {
          await rmdir(at);
          syncs.changed(at);
        } catch (error) {
          if (!isFsError(error, 'ENOENT')) return;
        }
      }
    },
  };
}
