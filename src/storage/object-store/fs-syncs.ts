// Syncs of names and files. Callers that wait for the same directory share one fsync. On a file system with a journal, that is one for all directories.
import { closeSync, constants, fstatSync, fsync, open, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import { isJournaled } from './fs-journal.ts';
import { type KnownOnDisk, know, MOST_SETTLED, versionOf } from './known-on-disk.ts';
import type { QuickCalls } from './quick-calls.ts';

export interface FsSyncs {
  /** Resolves when the names of these paths and of all directories above them (or their removal) are on disk. */
  syncNames(paths: readonly string[]): Promise<void>;
  /** The same, including the content of the files. What this process has synced, and is unchanged since, is not synced again. */
  syncFiles(paths: readonly string[]): Promise<void>;
}

export interface FsSyncsOptions {
  /** Normalised, as the paths below it. */
  readonly root: string;
  readonly quick: QuickCalls;
  readonly known: KnownOnDisk;
  /** Default: `isJournaled`. */
  readonly hasJournal?: (directory: string, device: number) => boolean;
}

/** How many files are open at once: enough for their syncs to share the disk's flushes. */
const SYNCED_AT_ONCE = 32;
const NO_ERROR = { throwIfNoEntry: false } as const;
/** Without O_NONBLOCK, opening a pipe would wait for a writer. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

export function fsSyncs({ root, quick, known, hasJournal = isJournaled }: FsSyncsOptions): FsSyncs {
  const { settled, settling, contents, lost } = known;
  /** Whether the device of the root has a journal. */
  let rootDevice: { readonly device: number; readonly hasJournal: boolean } | undefined;
  const limit = createLimiter(SYNCED_AT_ONCE);
  const syncDirectory = sharedSyncs((directory) => limit(async () => void (await syncedOrLost(directory))));

  async function syncedOrLost(path: string): Promise<string | undefined> {
    if (lost.has(path)) throw lost.get(path);
    try {
      const version = await synced(path, quick);
      // What has gone needs no sync. But if all has gone, it is somewhere else: moved, or not mounted.
      if (version === undefined) statSync(root);
      return version;
    } catch (error) {
      if (isFsError(error, 'EIO') && lost.size < MOST_SETTLED) lost.set(path, error);
      throw error;
    }
  }

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

  /**
   * With a journal, the root stands for all directories that are on its file system (docs/decisions/one-sync-for-many-names.md). Something else may be mounted below it, or linked, so each is looked
   * at. One that has gone needs no sync.
   */
  function together(names: ReadonlyMap<string, Set<string>>): ReadonlyMap<string, Set<string>> {
    const journaled = names.size > 0 ? journaledDevice() : undefined;
    if (journaled === undefined) return names;
    const left = new Map<string, Set<string>>();
    for (const [directory, own] of names) {
      const to = deviceOf(directory) === journaled ? root : directory;
      const others = left.get(to);
      if (others) for (const name of own) others.add(name);
      else left.set(to, own);
    }
    return left;
  }

  /** The number of the root's device, if its file system has a journal. */
  function journaledDevice(): number | undefined {
    // To sync each directory is always right, so nobody looks again where there was no journal.
    if (rootDevice?.hasJournal === false) return undefined;
    const device = deviceOf(root);
    if (device === undefined) return undefined;
    if (rootDevice?.device !== device) rootDevice = { device, hasJournal: quick.run(() => hasJournal(root, device)) };
    return rootDevice.hasJournal ? device : undefined;
  }

  /** `undefined` if it is not known at once. */
  function deviceOf(directory: string): number | undefined {
    try {
      return quick.allowed() ? quick.run(() => statSync(directory, NO_ERROR))?.dev : undefined;
    } catch {
      // Who syncs it gets the error.
      return undefined;
    }
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
    const version = contents.get(path);
    if (version !== undefined && quick.allowed()) {
      const found = quick.run(() => statSync(path, NO_ERROR));
      if (found && versionOf(found) === version) return;
    }
    know(known, path, await syncedOrLost(path));
  }

  const nameWork = (paths: readonly string[]) =>
    [...together(unsettled(paths))].map(([directory, names]) => settle(directory, names));

  return {
    syncNames: (paths) => all(nameWork(paths)),
    syncFiles: (paths) =>
      all([...[...new Set(paths)].map((path) => limit(() => syncContent(path))), ...nameWork(paths)]),
  };
}

interface Queue {
  readonly running: Promise<void>;
  hasBegun: boolean;
  /** The sync that starts when `running` ends, for names that were added during it. */
  next?: Promise<void>;
}

/**
 * Who wants a directory synced while another sync of it runs shares the next one: only a sync that starts after the call is sure to have seen the caller's names.
 * A sync starts a moment after the first call, so that calls of the same moment share it.
 */
function sharedSyncs(sync: (directory: string) => Promise<void>): (directory: string) => Promise<void> {
  const queues = new Map<string, Queue>();
  const begin = (directory: string): Promise<void> => {
    const running = Promise.resolve().then(() => {
      queue.hasBegun = true;
      return sync(directory);
    });
    const queue: Queue = { running, hasBegun: false };
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
    if (!queue.hasBegun) return queue.running;
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
