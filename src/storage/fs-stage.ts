// Stages in a directory: STAGES/ID/data, and beside it the claims of who owns it (io/lock). What was written stays after kill -9.
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError, translatingFsErrors } from '../io/fs-errors.ts';
import { acquireLock, type Lock, tryLock } from '../io/lock.ts';
import { readFileBytes } from './fs-read.ts';
import { fileWriter } from './fs-write.ts';
import type { Stage } from './object-store.ts';

export interface FsStages {
  open(
    id: string,
    options?: { readonly mustExist?: boolean; readonly signal?: AbortSignal },
  ): Promise<Stage | undefined>;
  staged(id: string): Promise<number>;
  sweep(before: Date): Promise<void>;
}

export interface FsStagesOptions {
  readonly directory: string;
  /** Files of puts that were killed are swept from here. */
  readonly temporary: string;
  /** Renames a file to an object and makes that durable. */
  readonly moveTo: (path: string, key: string) => Promise<void>;
}

export function fsStages(options: FsStagesOptions): FsStages {
  const placeOf = (id: string) => {
    if (!/^\w[\w.-]*$/.test(id)) throw new Error(`not a stage id [${id}]`);
    return join(options.directory, id);
  };
  return {
    open: async (id, { mustExist = false, signal } = {}) => {
      const place = placeOf(id);
      if (mustExist && !(await fileInfo(join(place, 'data')))) return undefined;
      const lock = await acquireLock(join(place, 'lock'), signal ? { signal } : {});
      try {
        const create = mustExist ? 0 : constants.O_CREAT;
        const handle = await open(join(place, 'data'), constants.O_RDWR | create, 0o666);
        return await ownedStage({ id, place, lock, handle, moveTo: options.moveTo });
      } catch (error) {
        await lock[Symbol.asyncDispose]();
        await removeEmpty(place);
        // Its owner, whom we waited for, published or discarded it.
        if (mustExist && isFsError(error, 'ENOENT')) return undefined;
        throw error;
      }
    },
    staged: async (id) => (await fileInfo(join(placeOf(id), 'data')))?.size ?? 0,
    sweep: async (before) => {
      for (const id of await names(options.directory)) await sweepStage(join(options.directory, id), before);
      for (const file of await names(options.temporary)) {
        const path = join(options.temporary, file);
        const info = await fileInfo(path);
        if (info && info.mtime < before) await rm(path, { force: true });
      }
    },
  };
}

interface Owned {
  readonly id: string;
  readonly place: string;
  readonly lock: Lock;
  readonly handle: FileHandle;
  readonly moveTo: FsStagesOptions['moveTo'];
}

async function ownedStage({ id, place, lock, handle, moveTo }: Owned): Promise<Stage> {
  const writer = fileWriter(handle, (await handle.stat()).size);
  let open = true;

  async function end(): Promise<void> {
    open = false;
    await handle.close();
    await lock[Symbol.asyncDispose]();
    await removeEmpty(place);
  }

  return {
    id,
    get size() {
      return writer.size;
    },
    append: (chunk) => translatingFsErrors(place, () => writer.append(chunk)),
    async *read() {
      await writer.flush();
      yield* await readFileBytes(handle, {});
    },
    truncate: (size) => translatingFsErrors(place, () => writer.truncate(size)),
    publish: (key) =>
      translatingFsErrors(place, async () => {
        await writer.flush();
        await handle.datasync();
        await moveTo(join(place, 'data'), key);
        await end();
      }),
    discard: async () => {
      if (!open) return;
      await writer.abandon();
      await rm(join(place, 'data'), { force: true });
      await end();
    },
    [Symbol.asyncDispose]: async () => {
      if (!open) return;
      // What could not be written was reported when it was appended, or is fetched again.
      await writer.flush().catch(() => {});
      await end();
    },
  };
}

async function sweepStage(place: string, before: Date): Promise<void> {
  const info = (await fileInfo(join(place, 'data'))) ?? (await fileInfo(place));
  if (!info || info.mtime >= before) return;
  await using lock = await tryLock(join(place, 'lock'));
  if (lock) await rm(join(place, 'data'), { force: true });
  await lock?.[Symbol.asyncDispose]();
  await removeEmpty(place);
}

/** Another one's claim keeps the directory: then it is theirs. */
async function removeEmpty(place: string): Promise<void> {
  await rmdir(place).catch((error: unknown) => {
    if (!isFsError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  });
}

async function fileInfo(path: string): Promise<{ readonly size: number; readonly mtime: Date } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function names(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isFsError(error, 'ENOENT')) return [];
    throw error;
  }
}
