// What must be synced so that a new name survives a power cut: the file, and each directory that got a new entry for it (fsync(2), "Calling fsync() does not …").
// Directories that this process has not changed are not synced again; one fsync serves all that wait for it.
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isFsError } from '../io/fs-errors.ts';
import { createLimiter } from '../io/limiter.ts';

/** Files of one call that are open at once: enough that their syncs share the disk's flushes. */
const SYNCED_AT_ONCE = 32;

export interface DirectorySyncs {
  /** An entry of this directory is new or another one now. */
  changed(directory: string): void;
  /** `mkdir` made all directories from `first` (what it returned) down to `last`. */
  made(first: string | undefined, last: string): void;
  /** Syncs the changed ones among the directories above these paths. */
  syncAncestors(paths: readonly string[]): Promise<void>;
  /** Syncs these files and their ancestors. */
  syncFiles(paths: readonly string[]): Promise<void>;
}

export function directorySyncs(root: string): DirectorySyncs {
  const dirty = new Set<string>();
  const running = new Map<string, Promise<void>>();

  function start(directory: string): void {
    dirty.delete(directory);
    const done = fsync(directory)
      .catch((error: unknown) => {
        dirty.add(directory);
        throw error;
      })
      .finally(() => {
        if (running.get(directory) === done) running.delete(directory);
      });
    running.set(directory, done);
  }

  function ancestorSyncs(paths: readonly string[]): readonly Promise<void>[] {
    const directories = new Set<string>();
    for (const path of paths) {
      for (let at = dirname(path); at.length >= root.length && !directories.has(at); at = dirname(at)) {
        directories.add(at);
        if (at === dirname(at)) break;
      }
    }
    for (const directory of directories) if (dirty.has(directory)) start(directory);
    return [...directories].flatMap((directory) => running.get(directory) ?? []);
  }

  return {
    changed: (directory) => {
      dirty.add(directory);
    },
    made: (first, last) => {
      if (first === undefined) return;
      for (let at = last; at.length >= first.length; at = dirname(at)) dirty.add(dirname(at));
    },
    syncAncestors: async (paths) => {
      await settled(ancestorSyncs(paths));
    },
    syncFiles: async (paths) => {
      await settled([createLimiter(SYNCED_AT_ONCE).map(new Set(paths), fsync), ...ancestorSyncs(paths)]);
    },
  };
}

/** All have ended; throws the first failure. */
async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  const failure = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
}

/** What is gone needs no syncing. */
async function fsync(path: string): Promise<void> {
  try {
    await using handle = await open(path, 'r');
    await handle.sync();
  } catch (error) {
    if (!isFsError(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}
