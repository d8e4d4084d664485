// What must be synced so that a name survives a power cut: the file, and each directory above it (fsync(2), "Calling fsync() does not …").
// Another process that does not wait for the disk may have made a directory, so a name counts as durable only after this process has synced it.
// Callers that wait for the same directory share one fsync.
import { closeSync, constants, fstatSync, fsync, open, openSync, type Stats, statSync } from 'node:fs';
import { dirname, normalize } from 'node:path';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import type { QuickCalls } from './quick-calls.ts';

export interface NameSyncs {
  /** A name is new, was replaced, or was removed. */
  changed(path: string): void;
  /** `mkdir` made the directories from `first` (its result) down to `last`. */
  made(first: string | undefined, last: string): void;
  /** Resolves when the names of these paths and of all directories above them (or their removal) are on disk. */
  syncNames(paths: readonly string[]): Promise<void>;
  /** The same, including the content of the files. What this process has synced, and is unchanged since, is not synced again. */
  syncFiles(paths: readonly string[]): Promise<void>;
  /** The content of `file` is on disk, and it was given this name then. */
  contentSynced(path: string, file: Stats): void;
}

/** How many files are open at once: enough for their syncs to share the disk's flushes. */
const SYNCED_AT_ONCE = 32;
const NO_ERROR = { throwIfNoEntry: false } as const;
/** Without O_NONBLOCK, opening a pipe would wait for a writer. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;
/** How many names are remembered as durable; others are synced again. */
const MOST_SETTLED = 20_000;

/** For the names below `directory`. `quick` says when a file may be opened without the thread pool. */
export function nameSyncs(directory: string, quick: QuickCalls): NameSyncs {
  // Normalised like the paths that `join` makes. Lengths decide where a walk upwards ends: one that compared names would never leave `.`.
  const root = normalize(directory);
  const settled = new Set<string>();
  const settling = new Set<Set<string>>();
  /** By path: which file is known to be on disk with its content. */
  const contents = new Map<string, string>();
  const limit = createLimiter(SYNCED_AT_ONCE);
  const syncDirectory = sharedSyncs((directory) => limit(async () => void (await synced(directory, quick))));

  /** By directory: the names on the way to these paths that may not be durable. */
  function unsettled(paths: readonly string[]): ReadonlyMap<string, Set<string>> {
    const names = new Map<string, Set<string>>();
    for (const path of paths) {
      for (let at = path; at.length > root.length; at = dirname(at)) {
        if (settled.has(at)) continue;
        const directory = dirname(at);
        names.set(directory, (names.get(directory) ?? new Set()).add(at));
      }
    }
    return names;
  }

  async function settle(directory: string, names: Set<string>): Promise<void> {
    settling.add(names);
    try {
      await syncDirectory(directory);
    } finally {
      settling.delete(names);
    }
    if (settled.size > MOST_SETTLED) settled.clear();
    for (const name of names) settled.add(name);
  }

  async function syncContent(path: string): Promise<void> {
    const known = contents.get(path);
    if (known !== undefined && quick.allowed()) {
      const found = quick.run(() => statSync(path, NO_ERROR));
      if (found && versionOf(found) === known) return;
    }
    know(path, await synced(path, quick));
  }

  function know(path: string, version: string | undefined): void {
    if (contents.size > MOST_SETTLED) contents.clear();
    if (version === undefined) contents.delete(path);
    else contents.set(path, version);
  }

  /** Also forgets a path that is just being synced: that sync may have come too early. */
  function forget(path: string): void {
    settled.delete(path);
    for (const names of settling) names.delete(path);
  }

  const nameWork = (paths: readonly string[]) =>
    [...unsettled(paths)].map(([directory, names]) => settle(directory, names));

  return {
    changed: forget,
    made: (first, last) => {
      if (first === undefined) return;
      for (let at = last; at.length > first.length; at = dirname(at)) forget(at);
      forget(first);
    },
    syncNames: (paths) => all(nameWork(paths)),
    syncFiles: (paths) =>
      all([...[...new Set(paths)].map((path) => limit(() => syncContent(path))), ...nameWork(paths)]),
    contentSynced: (path, file) => {
      const found = quick.allowed() ? quick.run(() => statSync(path, NO_ERROR)) : undefined;
      // A new name changes the time of the last change, and nothing else.
      const isSame = found?.ino === file.ino && found.size === file.size && found.mtimeMs === file.mtimeMs;
      if (found && isSame) know(path, versionOf(found));
    },
  };
}

interface Queue {
  readonly running: Promise<void>;
  /** The sync that starts when `running` ends, for names that were added during it. */
  next?: Promise<void>;
}

/** Who wants a directory synced while another sync of it runs shares the next one: only a sync that starts after the call is sure to have seen the caller's names. */
function sharedSyncs(sync: (directory: string) => Promise<void>): (directory: string) => Promise<void> {
  const queues = new Map<string, Queue>();
  const begin = (directory: string): Promise<void> => {
    const running = sync(directory);
    const queue: Queue = { running };
    queues.set(directory, queue);
    const end = () => {
      if (queues.get(directory) === queue && !queue.next) queues.delete(directory);
    };
    running.then(end, end);
    return running;
  };
  return (directory) => {
    const queue = queues.get(directory);
    if (!queue) return begin(directory);
    queue.next ??= queue.running.catch(() => {}).then(() => begin(directory));
    return queue.next;
  };
}

/** Waits until all have ended; then throws the first failure, if there is one. */
async function all(work: readonly Promise<unknown>[]): Promise<void> {
  const failure = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
}

/**
 * Syncs a path. Returns what the file was before that; `undefined` for a path that is gone, which needs no sync. What is synced was just written, so it is in the kernel's memory, and opening and closing it take microseconds: one
 * step of the thread pool instead of three.
 */
async function synced(path: string, quick: QuickCalls): Promise<string | undefined> {
  let file: number;
  try {
    file = quick.allowed() ? quick.run(() => openSync(path, READ)) : await opened(path);
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  try {
    const version = versionOf(fstatSync(file));
    await syncedFile(file);
    return version;
  } finally {
    closeSync(file);
  }
}

/** Nobody can set the time of the last change (ctime), so it shows each write, also of other processes. */
function versionOf({ ino, size, ctimeMs, dev }: Stats): string {
  return `${dev}-${ino}-${size}-${ctimeMs}`;
}

function opened(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, READ, (error, file) => (error ? reject(error) : resolve(file)));
  });
}

function syncedFile(file: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(file, (error) => (error ? reject(error) : resolve()));
  });
}
