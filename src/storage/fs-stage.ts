// Stages in a directory: a file each, whose name says who owns it (fs-ownership). What was written stays after kill -9.
import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileBytes } from '../io/file-bytes.ts';
import { fileWriter } from '../io/file-writer.ts';
import { isFsError, translatingFsErrors } from '../io/fs-errors.ts';
import { findStage, type OwnedFile, releaseStage, stageIds, takeStage, takeUnowned } from './fs-ownership.ts';
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
  /** What is published need not survive a power cut. */
  readonly volatile?: boolean;
}

export function fsStages({ directory, temporary, moveTo, volatile = false }: FsStagesOptions): FsStages {
  async function ownedStage(id: string, { path, handle }: OwnedFile): Promise<Stage> {
    const writer = fileWriter(handle, (await handle.stat()).size);
    let open = true;
    return {
      id,
      get size() {
        return writer.size;
      },
      append: (chunk) => translatingFsErrors(directory, () => writer.append(chunk)),
      async *read() {
        await writer.flush();
        yield* await readFileBytes(handle, {});
      },
      truncate: (size) => translatingFsErrors(directory, () => writer.truncate(size)),
      publish: (key) =>
        translatingFsErrors(directory, async () => {
          await writer.flush();
          if (!volatile) await handle.datasync();
          await moveTo(path, key);
          open = false;
          await handle.close();
        }),
      discard: async () => {
        if (!open) return;
        open = false;
        await writer.abandon();
        await handle.close();
        await unlink(path);
      },
      [Symbol.asyncDispose]: async () => {
        if (!open) return;
        open = false;
        // What could not be written was reported when it was appended, or is fetched again.
        await writer.flush().catch(() => {});
        await handle.close();
        await releaseStage(directory, id, path);
      },
    };
  }

  return {
    open: async (id, { mustExist = false, signal } = {}) => {
      const owned = await takeStage(directory, checkedId(id), { mustExist, signal });
      return owned && ownedStage(id, owned);
    },
    staged: async (id) => {
      const sizes = (await findStage(directory, checkedId(id))).map(async (path) => (await fileInfo(path))?.size ?? 0);
      return Math.max(0, ...(await Promise.all(sizes)));
    },
    sweep: async (before) => {
      for (const id of await stageIds(directory)) {
        if (!(await areOld(await findStage(directory, id), before))) continue;
        const owned = await takeUnowned(directory, id);
        await owned?.handle.close();
        if (owned) await unlink(owned.path);
      }
      for (const file of await names(temporary)) {
        const path = join(temporary, file);
        if (await areOld([path], before)) await unlink(path);
      }
    },
  };
}

function checkedId(id: string): string {
  if (!/^\w[\w.-]*$/.test(id)) throw new Error(`not a stage id [${id}]`);
  return id;
}

async function areOld(paths: readonly string[], before: Date): Promise<boolean> {
  const infos = await Promise.all(paths.map(fileInfo));
  return infos.every((info) => info !== undefined && info.mtime < before);
}

async function fileInfo(path: string): Promise<{ readonly size: number; readonly mtime: Date } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isFsError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function names(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
