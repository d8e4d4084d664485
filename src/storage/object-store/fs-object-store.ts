// The object store in a directory: a key is a path. Relies on rename and link being atomic, and on fsync of files and directories.
import { statfs, utimes } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import type { FileHasher } from '../../io/files/hash-thread.ts';
import { isAbsent, unlessAbsent } from './fs-absence.ts';
import { nameSyncs } from './fs-durability.ts';
import { fsFolders } from './fs-folders.ts';
import { fsListing } from './fs-listing.ts';
import { fsReading } from './fs-reading.ts';
import { fsStages } from './fs-stage.ts';
import { fsWriting } from './fs-writing.ts';
import type { ObjectStore } from './object-store.ts';
import { quickCalls, SLOW_WRITE } from './quick-calls.ts';
import type { SmallFileCounts } from './small-files.ts';

/** The folder for unfinished objects, on the same file system as the objects. */
const WAITING = 'images';

export interface FsObjectStoreOptions {
  /** The folder for unfinished objects. */
  readonly waiting?: string;
  /** For directories whose readers detect by its size what a power cut has emptied, and can fetch it again: nothing waits for the disk, and `sync` does nothing. */
  readonly volatile?: boolean;
  /** This process serves nobody meanwhile: what is read need not go through the thread pool, and is not remembered. */
  readonly alone?: boolean;
  /** As of `DiskStoreOptions`. */
  readonly smallFileCounts?: SmallFileCounts;
}

/**
 * Opens the store in `directory`. It reads and makes nothing until that is needed, so a missing directory is an empty store.
 * Errors of all writing methods: NO_SPACE, READ_ONLY, NO_ACCESS; of reading methods: NO_ACCESS.
 */
export function openFsObjectStore(directory: string, options: FsObjectStoreOptions = {}): ObjectStore {
  const { volatile = false, alone = false } = options;
  const waiting = join(directory, options.waiting ?? WAITING);
  const temporary = join(waiting, 'tmp');
  const root = normalize(directory);
  // Keys have no parts that `join` would change.
  const above = join(directory, '/');
  const pathOf = (key: string) => `${above}${checkedKey(key)}`;
  const translating = <T>(work: () => Promise<T>) => translatingFsErrors(directory, work);

  const quick = quickCalls(directory, { alone });
  const reading = fsReading(quick, options.smallFileCounts);
  const listing = fsListing(directory, quick, (key) => reading.info(key, pathOf(key)));
  const syncs = nameSyncs(root, quick);
  const quickNames = quickCalls(directory, { verySlow: SLOW_WRITE });
  const folders = fsFolders(root, syncs, { quick, quickNames });
  const quickWrites = quickCalls(directory, { alone, verySlow: SLOW_WRITE });
  const writing = fsWriting({ folders, temporary, quick: quickWrites, quickNames, onSynced: syncs.contentSynced });
  const stages = fsStages({
    directory: join(waiting, 'stage'),
    temporary,
    moveTo: async (from, key, { ifAbsent, durable }) => {
      const path = pathOf(key);
      if (!(await writing.publish(from, path, { ifAbsent }))) return false;
      if (durable) await syncs.syncNames([path]);
      return true;
    },
    rename: writing.renamed,
    quick: quickWrites,
    syncName: (path) => syncs.syncNames([path]),
    onMade: syncs.made,
    volatile,
  });

  return {
    get: (key, range) => translating(() => reading.content(pathOf(key), range)),
    kept: (key) => reading.kept(pathOf(key)),
    isSurelyAbsent: (key) => reading.isSurelyAbsent(pathOf(key)),
    ...(alone && {
      hash: (key, algorithm, pace) =>
        translating(() =>
          unlessAbsent(async () => (await hasherOfProcess()).hash(pathOf(key), algorithm, pace), 'EISDIR'),
        ),
    }),
    stat: (key) => translating(() => reading.info(key, pathOf(key))),
    put: (key, bytes, how = {}) => translating(() => writing.put(pathOf(key), bytes, how)),
    sync: async (keys, { namesOnly = false } = {}) => {
      const sync = namesOnly ? syncs.syncNames : syncs.syncFiles;
      if (!volatile) await translating(() => sync(keys.map(pathOf)));
    },
    touch: (key) => translating(() => touched(pathOf(key))),
    move: (from, to, { ifAbsent = false } = {}) =>
      translating(() => writing.move(pathOf(from), pathOf(to), { ifAbsent })),
    stage: (id, how) => translating(() => stages.open(id, how)),
    staged: (id) => translating(() => stages.staged(id)),
    sweep: (limits) => translating(() => stages.sweep(limits)),
    capacity: () => capacityOf(directory),
    list: (prefix, after) => listing.list(checkedPrefix(prefix), after),
    any: (prefix) => translating(() => listing.any(checkedPrefix(prefix))),
    children: (prefix) => translating(() => listing.children(checkedPrefix(prefix))),
    delete: (keys) =>
      translating(async () => {
        for (const path of keys.map(pathOf)) await writing.remove(path);
      }),
    deleteAll: (prefix) => translating(() => writing.removeAll(pathOf(checkedPrefix(prefix).slice(0, -1)))),
  };
}

let hasher: FileHasher | undefined;

/** Loaded when it is needed. */
async function hasherOfProcess(): Promise<FileHasher> {
  const { fileHasher } = await import('../../io/files/hash-thread.ts');
  hasher ??= fileHasher();
  return hasher;
}

/** A part that is empty, `.` or `..`; a zero byte, which ends a path. */
const BAD_KEY = /(?:^|\/)\.{0,2}(?:\/|$)|\0/;

/** Keys must never leave the directory. Names and tags are checked where they come in, and here again. */
function checkedKey(key: string): string {
  if (key === '' || BAD_KEY.test(key)) throw new Error(`not a key [${key}]`);
  return key;
}

function checkedPrefix(prefix: string): string {
  if (prefix !== '') checkedKey(prefix.endsWith('/') ? prefix.slice(0, -1) : '');
  return prefix;
}

/** Returns false if there is no such file. */
async function touched(path: string): Promise<boolean> {
  const now = new Date();
  try {
    await utimes(path, now, now);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/** In bytes; `undefined` if the directory is not there, or its file system does not report a size. */
async function capacityOf(directory: string): Promise<number | undefined> {
  try {
    const { blocks, bsize } = await statfs(directory);
    return blocks > 0 ? blocks * bsize : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
