// What must be synced so that a name survives a power cut: the file, and each directory above it (fsync(2), "Calling fsync() does not …").
// Another process that does not wait for the disk may have made a directory, so a name counts as durable only after this process has synced it.
// Here is what is known to be on disk; the syncs themselves (fs-syncs.ts) are loaded by who makes some.
import { type Stats, statSync } from 'node:fs';
import { dirname, normalize } from 'node:path';
import type { FsSyncs } from './fs-syncs.ts';
import { type KnownOnDisk, know, versionOf } from './known-on-disk.ts';
import type { QuickCalls } from './quick-calls.ts';

export interface NameSyncs extends FsSyncs {
  /** A name is new, was replaced, or was removed. */
  changed(path: string): void;
  /** `mkdir` made the directories from `first` (its result) down to `last`. */
  made(first: string | undefined, last: string): void;
  /** The content of `file` is on disk, and it was given this name then. */
  contentSynced(path: string, file: Stats): void;
}

const NO_ERROR = { throwIfNoEntry: false } as const;

/**
 * For the names below `directory`. `quick` says when a file may be opened without the thread pool. `hasJournal`: whether one sync stands for many, on this device; default: if the kernel says so.
 */
export function nameSyncs(
  directory: string,
  quick: QuickCalls,
  hasJournal?: (directory: string, device: number) => boolean,
): NameSyncs {
  // Normalised like the paths that `join` makes. Lengths decide where a walk upwards ends: one that compared names would never leave `.`.
  const root = normalize(directory);
  const known: KnownOnDisk = { settled: new Set(), settling: new Set(), contents: new Map(), lost: new Map() };
  let loading: Promise<FsSyncs> | undefined;

  async function loaded(): Promise<FsSyncs> {
    const { fsSyncs } = await import('./fs-syncs.ts');
    return fsSyncs({ root, quick, known, ...(hasJournal && { hasJournal }) });
  }

  /** Also forgets a path that is just being synced: that sync may have come too early. */
  function forget(path: string): void {
    known.settled.delete(path);
    known.lost.delete(path);
    for (const names of known.settling) names.delete(path);
  }

  return {
    changed: forget,
    made: (first, last) => {
      if (first === undefined) return;
      for (let at = last; at.length > first.length; at = dirname(at)) forget(at);
      forget(first);
    },
    syncNames: async (paths) => {
      loading ??= loaded();
      await (await loading).syncNames(paths);
    },
    syncFiles: async (paths) => {
      loading ??= loaded();
      await (await loading).syncFiles(paths);
    },
    contentSynced: (path, file) => {
      const found = quick.allowed() ? quick.run(() => statSync(path, NO_ERROR)) : undefined;
      // A new name changes the time of the last change, and nothing else.
      const isSame = found?.ino === file.ino && found.size === file.size && found.mtimeMs === file.mtimeMs;
      if (found && isSame) know(known, path, versionOf(found));
    },
  };
}
