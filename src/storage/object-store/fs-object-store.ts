// The object store in a directory: a key is a path. Relies on rename and link being atomic, and on fsync of files and directories.
import { randomUUID } from 'node:crypto';
import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { link, open, opendir, rename, rm, rmdir, stat, statfs, unlink, utimes } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { inDirectory, makeDirectory } from '../../io/files/atomic-file.ts';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { isFsError, translatingFsErrors } from '../../io/files/fs-errors.ts';
import { readSmallFile } from '../../io/files/whole-file.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import type { Range } from '../blobs.ts';
import type { ObjectInfo } from '../objects.ts';
import { nameSyncs } from './fs-durability.ts';
import { fsStages } from './fs-stage.ts';
import { LargeFolders, namesInFolder } from './large-folders.ts';
import type { ObjectStore } from './object-store.ts';
import { quickCalls } from './quick-calls.ts';
import { smallFiles } from './small-files.ts';

/** In bytes: links, marks, manifests and configs are read whole. */
const SMALL = 64 * 1024;
/** Folders that a listing reads at the same time. */
const AHEAD = 8;
/** The folder for unfinished objects, on the same file system as the objects. */
const WAITING = 'images';
const NO_ERROR = { throwIfNoEntry: false } as const;
const WITH_TYPES = { withFileTypes: true } as const;
/** In bytes, of the folder itself: some dozens of names, in one block of the disk. */
const SMALL_FOLDER = 4096;

export interface FsObjectStoreOptions {
  /** The folder for unfinished objects. */
  readonly waiting?: string;
  /** For directories whose readers detect by its size what a power cut has emptied, and can fetch it again: nothing waits for the disk, and `sync` does nothing. */
  readonly volatile?: boolean;
}

/**
 * Opens the store in `directory`. It reads and makes nothing until that is needed, so a missing directory is an empty store.
 * Errors of all writing methods: NO_SPACE, READ_ONLY, NO_ACCESS; of reading methods: NO_ACCESS.
 */
export function openFsObjectStore(directory: string, options: FsObjectStoreOptions = {}): ObjectStore {
  const folders = new LargeFolders();
  const quick = quickCalls(directory);
  const small = smallFiles();
  const { volatile = false } = options;
  const waiting = join(directory, options.waiting ?? WAITING);
  const temporaryFiles = join(waiting, 'tmp');
  // Normalised like the paths that `join` makes below it.
  const root = normalize(directory);
  const syncs = nameSyncs(root);
  const pathOf = (key: string) => join(directory, checkedKey(key));
  const stages = fsStages({
    directory: join(waiting, 'stage'),
    temporary: temporaryFiles,
    moveTo: async (from, key, { ifAbsent, durable }) => {
      const path = pathOf(key);
      if (ifAbsent) {
        if (!(await inMadeDirectory(path, (final) => linkUnlessThere(from, final)))) return false;
        await unlink(from);
      } else {
        await inMadeDirectory(path, (final) => rename(from, final));
      }
      if (durable) await syncs.syncNames([path]);
      return true;
    },
    syncName: (path) => syncs.syncNames([path]),
    onMade: syncs.made,
    volatile,
  });

  /** Makes the directory of `path`, then runs `move`. Repeats both if another process removes the empty directory in between. */
  async function inMadeDirectory<T>(path: string, move: (path: string) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      syncs.made(await makeDirectory(dirname(path)), dirname(path));
      try {
        const result = await move(path);
        syncs.changed(path);
        return result;
      } catch (error) {
        if (!isFsError(error, 'ENOENT') || attempt === 20) throw error;
      }
    }
  }

  /** Writes a new file in place, which is cheaper. Its readers treat a truncated file as absent. */
  async function putNew(path: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await using handle = await inMadeDirectory(path, (final) => open(final, 'wx'));
      await handle.writeFile(bytes);
      return true;
    } catch (error) {
      if (isFsError(error, 'EEXIST')) return false;
      throw error;
    }
  }

  /** After `path` was removed: removes parent directories that became empty. */
  async function prune(path: string): Promise<void> {
    syncs.changed(path);
    for (let at = dirname(path); at.length > root.length; at = dirname(at)) {
      try {
        await rmdir(at);
        syncs.changed(at);
      } catch (error) {
        if (!isFsError(error, 'ENOENT')) return;
      }
    }
  }

  async function moveFile(from: string, to: string, ifAbsent: boolean): Promise<boolean> {
    if (!(await unlessAbsent(() => stat(from)))?.isFile()) return false;
    try {
      if (!ifAbsent) {
        await inMadeDirectory(to, (final) => rename(from, final));
      } else {
        await inMadeDirectory(to, (final) => linkUnlessThere(from, final));
        await unlessAbsent(() => unlink(from));
      }
    } catch (error) {
      // Another process was faster.
      if (isAbsent(error)) return false;
      throw error;
    }
    await prune(from);
    return true;
  }

  /** `undefined` if there is no such file. */
  async function statOf(path: string): Promise<Stats | undefined> {
    const found = quick.allowed() ? quick.run(() => statSync(path, NO_ERROR)) : await stat(path);
    return found?.isFile() ? found : undefined;
  }

  async function infoOf(key: string, path: string): Promise<ObjectInfo | undefined> {
    const found = await unlessAbsent(() => statOf(path));
    return found && infoFrom(key, found);
  }

  /** A small file is read again only if a look at it shows another one. */
  async function contentOf(path: string, range: Range = {}): Promise<Bytes | undefined> {
    if (quick.allowed()) {
      const found = quick.run(() => statSync(path, NO_ERROR));
      if (!found?.isFile()) return undefined;
      const kept = found.size <= SMALL ? small.get(path, found) : undefined;
      if (kept) return oneChunk(kept, range);
    }
    const file = await readSmallFile(path, SMALL);
    if (!file) return undefined;
    if (file.bytes) {
      small.keep(path, file.found, file.bytes);
      return oneChunk(file.bytes, range);
    }
    const handle = await open(path, 'r');
    return await readFileBytes(handle, { ...range, close: true });
  }

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
      const found = smallFolder(path);
      return found ? namesInFolder(found) : await folders.names(path);
    });
    return names ?? [];
  }

  async function* list(prefix: string, after: string | undefined): AsyncGenerator<ObjectInfo> {
    yield* listNames(prefix, await entries(join(directory, prefix)), after);
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
        const info = await infoOf(key, pathOf(key));
        if (info) yield info;
      }
    }
  }

  return {
    get: (key, range) =>
      translatingFsErrors(directory, () => unlessAbsent(() => contentOf(pathOf(key), range), 'EISDIR')),
    stat: (key) => translatingFsErrors(directory, () => infoOf(key, pathOf(key))),
    put: (key, bytes, options = {}) =>
      translatingFsErrors(directory, async () => {
        const path = pathOf(key);
        if (options.ifAbsent) return putNew(path, bytes);
        const temporary = await writeTemporary(temporaryFiles, bytes, options.volatile);
        try {
          await inMadeDirectory(path, (final) => rename(temporary, final));
        } catch (error) {
          await unlink(temporary);
          throw error;
        }
        return true;
      }),
    sync: async (keys, { namesOnly = false } = {}) => {
      const sync = namesOnly ? syncs.syncNames : syncs.syncFiles;
      if (!volatile) await translatingFsErrors(directory, () => sync(keys.map(pathOf)));
    },
    touch: (key) => translatingFsErrors(directory, () => touched(pathOf(key))),
    move: (from, to, { ifAbsent = false } = {}) =>
      translatingFsErrors(directory, () => moveFile(pathOf(from), pathOf(to), ifAbsent)),
    stage: (id, options) => translatingFsErrors(directory, () => stages.open(id, options)),
    staged: (id) => translatingFsErrors(directory, () => stages.staged(id)),
    sweep: (limits) => translatingFsErrors(directory, () => stages.sweep(limits)),
    capacity: async () => {
      try {
        const { blocks, bsize } = await statfs(directory);
        // Some file systems do not report their size.
        return blocks > 0 ? blocks * bsize : undefined;
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
    list: (prefix, after) => list(checkedPrefix(prefix), after),
    any: (prefix) =>
      translatingFsErrors(
        directory,
        async () => (await unlessAbsent(() => holdsFile(join(directory, checkedPrefix(prefix))))) ?? false,
      ),
    children: (prefix) => translatingFsErrors(directory, () => entries(join(directory, checkedPrefix(prefix)))),
    delete: (keys) =>
      translatingFsErrors(directory, async () => {
        for (const path of keys.map(pathOf)) {
          await rm(path, { force: true });
          await prune(path);
        }
      }),
    deleteAll: (prefix) =>
      translatingFsErrors(directory, async () => {
        const path = pathOf(checkedPrefix(prefix).slice(0, -1));
        await rm(path, { recursive: true, force: true, maxRetries: 3 });
        await prune(path);
      }),
  };
}

/** Keys must never leave the directory. Names and tags are checked where they come in, and here again. */
function checkedKey(key: string): string {
  const good = key.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
  if (!good) throw new Error(`not a key [${key}]`);
  return key;
}

function checkedPrefix(prefix: string): string {
  if (prefix !== '') checkedKey(prefix.endsWith('/') ? prefix.slice(0, -1) : '');
  return prefix;
}

function infoFrom(key: string, found: Stats): ObjectInfo {
  return {
    key,
    size: found.size,
    // Made when it is asked for: the first Date of a process reads the time zone.
    get modified() {
      return found.mtime;
    },
    version: `${found.ino}-${found.size}-${found.mtimeMs}`,
  };
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

/** What `work` gives; `undefined` if there is no such file, or for these errors. */
async function unlessAbsent<T>(work: () => Promise<T>, ...codes: readonly string[]): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isAbsent(error) || isFsError(error, ...codes)) return undefined;
    throw error;
  }
}

/** Not every file system has hard links. Without them, two writers of the same key write the same content, so a rename is safe. */
async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isFsError(error, 'EEXIST')) return false;
    if (!isFsError(error, 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
    if ((await unlessAbsent(() => stat(to)))?.isFile()) return false;
    await rename(from, to);
    return true;
  }
}

/** The bytes of the range. A whole object keeps its memory, so that its readers can see that they know it. */
async function* oneChunk(bytes: Uint8Array, { from = 0, to }: Range): AsyncGenerator<Uint8Array> {
  const chunk = from === 0 && to === undefined ? bytes : bytes.subarray(from, to);
  if (chunk.length > 0) yield chunk;
}

/**
 * Writes the bytes to a temporary file and syncs it, because it may replace an older object and a power cut must not leave an
 * empty file in its place. `volatile`: that would do no harm, so it is not synced.
 */
async function writeTemporary(directory: string, bytes: Uint8Array, volatile = false): Promise<string> {
  const path = join(directory, `${process.pid}-${randomUUID()}`);
  const handle = await inDirectory(directory, () => open(path, 'wx'));
  try {
    await handle.writeFile(bytes);
    if (!volatile) await handle.datasync();
  } catch (error) {
    await unlink(path);
    throw error;
  } finally {
    await handle.close();
  }
  return path;
}

function isAbsent(error: unknown): boolean {
  return isFsError(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG');
}
