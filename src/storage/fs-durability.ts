// What must be synced so that a name survives a power cut: the file, and each directory on the way to it (fsync(2), "Calling fsync() does not …").
// A directory may have been made by another process that waits for no disk: so names are believed to be on disk only once this process has seen to it.
// One fsync of a directory serves all that wait for it.
import { open } from 'node:fs/promises';
import { dirname, normalize } from 'node:path';
import { createLimiter } from '../io/concurrency/limiter.ts';
import { isFsError } from '../io/files/fs-errors.ts';

export interface NameSyncs {
  /** The name is new, means something else now, or has gone. */
  changed(path: string): void;
  /** `mkdir` made all directories from `first` (what it returned) down to `last`. */
  made(first: string | undefined, last: string): void;
  /** The names of these paths, and of all directories above them, are on disk when it returns; or that they have gone. */
  syncNames(paths: readonly string[]): Promise<void>;
  /** The same, and what these files hold. */
  syncFiles(paths: readonly string[]): Promise<void>;
}

/** Files open at once: enough that their syncs share the disk's flushes. */
const SYNCED_AT_ONCE = 32;
/** More are not remembered: they would be synced once more. */
const MOST_SETTLED = 20_000;

interface Queue {
  readonly running: Promise<void>;
  /** Begins when `running` ends: for names that came after that had begun. */
  next?: Promise<void>;
}

/** Of the names below `directory`. */
export function nameSyncs(directory: string): NameSyncs {
  // As `join` writes the paths below it. Lengths tell where a walk upwards ends: one that waits for a name goes round in `.` for ever.
  const root = normalize(directory);
  const settled = new Set<string>();
  const settling = new Set<Set<string>>();
  const queues = new Map<string, Queue>();
  const limit = createLimiter(SYNCED_AT_ONCE);

  function begin(directory: string): Promise<void> {
    const running = limit(() => fsync(directory));
    const queue: Queue = { running };
    queues.set(directory, queue);
    const end = () => {
      if (queues.get(directory) === queue && !queue.next) queues.delete(directory);
    };
    running.then(end, end);
    return running;
  }

  /** One that begins after this call. */
  function syncDirectory(directory: string): Promise<void> {
    const queue = queues.get(directory);
    if (!queue) return begin(directory);
    queue.next ??= queue.running.catch(() => {}).then(() => begin(directory));
    return queue.next;
  }

  /** By directory, the names on the way to these paths that may not be on disk. */
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

  /** Also where it is just being settled: that sync may have come too early. */
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
    syncFiles: (paths) => all([...[...new Set(paths)].map((path) => limit(() => fsync(path))), ...nameWork(paths)]),
  };
}

/** All have ended; throws the first failure. */
async function all(work: readonly Promise<unknown>[]): Promise<void> {
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
