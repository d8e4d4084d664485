// Stages in a directory: one file each, whose name says who owns it (fs-ownership). Written bytes survive kill -9. The files are spread over folders, so that
// finding one does not require listing all of them.
import { fstatSync } from 'node:fs';
import { type FileHandle, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { fileWriter } from '../../io/files/file-writer.ts';
import { isFsError, translatingFsErrors } from '../../io/files/fs-errors.ts';
import type { SweepLimits } from '../blobs.ts';
import { findStage, nameSynced, type OwnedFile, releaseStage, syncedSize, takeStage } from './fs-ownership.ts';
import type { Stage, StageOptions } from './object-store.ts';
import type { QuickCalls } from './quick-calls.ts';
import { endRests, rest, takeResting } from './resting-stages.ts';

export interface FsStages {
  open(id: string, options?: StageOptions): Promise<Stage | undefined>;
  staged(id: string): Promise<number>;
  sweep(limits: SweepLimits): Promise<number>;
}

export interface FsStagesOptions {
  readonly directory: string;
  /** The folder for temporary files of puts; leftovers of killed processes are swept. */
  readonly temporary: string;
  /** Moves a file to an object, durably if wanted. Returns false if the object exists and `ifAbsent` is set. */
  readonly moveTo: (path: string, key: string, how: { ifAbsent: boolean; durable: boolean }) => Promise<boolean>;
  /** Makes the name of a file durable. */
  readonly syncName: (path: string) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
  /** When small content may be written without the thread pool. */
  readonly quick: QuickCalls;
  /** Called with the topmost directory that was made, down to `last`. */
  readonly onMade: (first: string | undefined, last: string) => void;
  /** True if nothing needs to survive a power cut. */
  readonly volatile?: boolean;
}

/** In milliseconds. */
const RECENT_MS = 60_000;
/** In bytes: so much is written to the kernel's memory at once. */
const SMALL = 64 * 1024;

export function fsStages(options: FsStagesOptions): FsStages {
  const { directory } = options;
  const folderOf = (id: string) => join(directory, id.slice(-2).padStart(2, '0'));

  return {
    open: async (id, { mustExist = false, isNew = false, rests = false, signal } = {}) => {
      const folder = folderOf(checkedId(id));
      const onMade = (first: string | undefined) => options.onMade(first, folder);
      const resting = () => takeResting(folder, id);
      const owned = await takeStage(folder, id, { mustExist, isNew, signal, onMade, resting });
      return owned && ownedStage(id, owned, options, rests);
    },
    staged: async (id) => {
      const files = await findStage(folderOf(checkedId(id)), id);
      return Math.max(0, ...(await Promise.all(files.map(sizeOf))));
    },
    sweep: async (limits) => {
      await endRests(directory);
      // Short commands sweep nothing.
      const { sweepStages } = await import('./fs-sweep.ts');
      return await sweepStages(options, limits);
    },
  };
}

/** A stage whose file this process has taken. With `rests` it waits for its next owner with its file open. */
function ownedStage(
  id: string,
  { path: taken, handle }: OwnedFile,
  { directory, moveTo, syncName, volatile, rename, quick }: FsStagesOptions,
  rests: boolean,
): Stage {
  const { size, mtimeMs } = fstatSync(handle.fd);
  const writer = fileWriter(handle, size, {
    atOnce: (bytes) => (bytes <= SMALL && quick.allowed() ? quick.run : undefined),
  });
  let writtenAt = mtimeMs;
  let path = taken;
  let open = true;
  // What was published, perhaps in vain, must not be written to.
  let mayRest = rests;
  const isFlushed = async () => {
    try {
      await writer.flush();
      return true;
    } catch {
      return false;
    }
  };
  /** The kernel tells of bytes that it could not write only once: a second sync would succeed. So what was not on disk before is forgotten, and has to come again. */
  const datasync = async () => {
    try {
      await handle.datasync();
    } catch (error) {
      await writer.truncate(syncedSize(path)).catch(() => undefined);
      throw error;
    }
  };
  return {
    id,
    get size() {
      return writer.size;
    },
    get written() {
      return writer.written;
    },
    get synced() {
      return Math.min(writer.size, syncedSize(path));
    },
    append: (chunk) => {
      writtenAt = Date.now();
      return translatingFsErrors(directory, () => writer.append(chunk));
    },
    sync: () =>
      translatingFsErrors(directory, async () => {
        await writer.flush();
        if (writer.size === syncedSize(path)) return;
        if (!volatile) await datasync();
        path = await nameSynced(path, writer.size, rename);
        if (!volatile) await syncName(path);
      }),
    flush: () => translatingFsErrors(directory, () => writer.flush()),
    async *read() {
      await translatingFsErrors(directory, () => writer.flush());
      yield* await readFileBytes(handle, {});
    },
    reader: () => translatingFsErrors(directory, async () => (await import('./fs-stage-reader.ts')).stageReader(path)),
    truncate: (size) => translatingFsErrors(directory, () => writer.truncate(size)),
    publish: (key, { ifAbsent = false, durable = 'name' } = {}) =>
      translatingFsErrors(directory, async () => {
        mayRest = false;
        await writer.flush();
        if (Math.abs(Date.now() - writtenAt) > RECENT_MS) await renewed(handle);
        const awaited = volatile ? 'nothing' : durable;
        const isSynced = writer.size > 0 && writer.size === syncedSize(path);
        if (awaited !== 'nothing' && !isSynced) await datasync();
        if (!(await moveTo(path, key, { ifAbsent, durable: awaited === 'name' }))) return false;
        open = false;
        await handle.close();
        return true;
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
      // Bytes that were acknowledged have been synced. All others are fetched again.
      if ((await isFlushed()) && mayRest) return rest(id, { path, handle });
      await handle.close();
      await releaseStage(dirname(path), id, path);
    },
  };
}

/** The time of an object that nobody has written to lately is that of its publishing. Only the owner of a file can set its time. */
async function renewed(handle: FileHandle): Promise<void> {
  const now = new Date();
  try {
    await handle.utimes(now, now);
  } catch (error) {
    if (!isFsError(error, 'EPERM')) throw error;
  }
}

function checkedId(id: string): string {
  if (!/^\w[\w.-]*$/.test(id)) throw new Error(`not a stage id [${id}]`);
  return id;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isFsError(error, 'ENOENT')) return 0;
    throw error;
  }
}
