// The folders of a store in a directory: they come with their first file and go with their last. Tells what syncs names of each change.
import { mkdirSync, statSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from '../../io/files/atomic-file.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import type { NameSyncs } from './fs-durability.ts';
import type { QuickCalls } from './quick-calls.ts';

export interface FsFolders {
  /**
   * Makes the folder of `path`, then runs `move`, which gives a file this name. Repeats both if another process removes the empty folder in between. With
   * `isExpected`, the folder is only made if it turns out to be missing.
   */
  inMade<T>(path: string, move: (path: string) => Promise<T>, options?: { readonly isExpected?: boolean }): Promise<T>;
  /** After `path` was removed: removes the folders above it that became empty. */
  prune(path: string): Promise<void>;
}

export interface FsFoldersOptions {
  /** When folders may be looked at without the thread pool. */
  readonly quick: QuickCalls;
  /** When they may be made without it. */
  readonly quickNames: QuickCalls;
}

/** Other processes may remove an empty folder that often before it counts as an error. */
const MOST_ATTEMPTS = 20;
const NO_ERROR = { throwIfNoEntry: false } as const;

/** `root` stays. It is normalised like the paths that `join` makes below it: their lengths decide where the way up ends. */
export function fsFolders(root: string, syncs: NameSyncs, { quick, quickNames }: FsFoldersOptions): FsFolders {
  /** Those on the way to this folder that are not there, the topmost first, as far as a quick look tells. */
  function missing(folder: string): readonly string[] {
    const found: string[] = [];
    for (let at = folder; at.length > root.length && quick.allowed(); at = dirname(at)) {
      if (quick.run(() => statSync(at, NO_ERROR))) break;
      found.unshift(at);
    }
    return found;
  }

  async function make(folder: string): Promise<void> {
    // A look costs less than making in vain what is there, or what lacks the folder above it.
    if (!quick.allowed()) return syncs.made(await makeDirectory(folder), folder);
    for (const one of missing(folder)) syncs.made(madeAtOnce(one) ?? (await makeDirectory(one)), one);
  }

  function madeAtOnce(folder: string): string | undefined {
    if (!quickNames.allowed()) return undefined;
    try {
      quickNames.run(() => mkdirSync(folder));
      return folder;
    } catch {
      // It is not as simple as it looked.
      return undefined;
    }
  }

  return {
    inMade: async (path, move, { isExpected = false } = {}) => {
      for (let attempt = 0; ; attempt++) {
        if (attempt > 0) syncs.made(await makeDirectory(dirname(path)), dirname(path));
        else if (!isExpected) await make(dirname(path));
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
