// Removes stages that have no owner and were not continued. Reads each folder once, whatever is in it.
import { readdir, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError } from '../../io/files/fs-errors.ts';
import { addAll } from '../../oci/add-all.ts';
import type { SweepLimits } from '../blobs.ts';
import { isBlobStage } from '../layout/store-keys.ts';
import { isOwned, releaseStage, stageFiles, takeFile } from './fs-ownership.ts';

export interface SweptFolders {
  /** The folder of the stages: folders of files. Files directly in it are stages of earlier versions. */
  readonly directory: string;
  /** The folder for temporary files of puts. */
  readonly temporary: string;
}

interface Idle {
  readonly folder: string;
  readonly id: string;
  readonly file: string;
  readonly size: number;
  /** Time of the last write, in milliseconds. */
  readonly time: number;
  /** When its last owner gave it back (perhaps long after the last write): that renames the file, which sets its ctime. */
  readonly usedAt: number;
}

export async function sweepStages({ directory, temporary }: SweptFolders, limits: SweepLimits): Promise<number> {
  const { before, most = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY, spared } = limits;
  const { sessionsBefore = before } = limits;
  const folders = [...(await foldersIn(directory)), directory];
  const idle: Idle[] = [];
  let owned = 0;
  for (const folder of folders) {
    const found = await stagesIn(folder);
    addAll(idle, found.idle);
    owned += found.owned;
  }
  // The newest stay, because clients that come back do so soon.
  idle.sort((a, b) => b.time - a.time);
  let held = 0;
  let removed = 0;
  for (const [at, stage] of idle.entries()) {
    held += stage.size;
    const isSpared = spared !== undefined && stage.usedAt > spared.getTime();
    // The very newest stays whatever its size: a client that sent a layer in one request commits it in the next.
    const isTooMuch = !isSpared && (at >= most || (at > 0 && stage.size > 0 && held > bytes));
    const isOld = stage.time < (isBlobStage(stage.id) ? before : sessionsBefore).getTime();
    if (isOld || isTooMuch) removed += await remove(stage);
  }
  for (const folder of folders) await removeIfEmpty(folder);
  for (const { file, time } of (await stagesIn(temporary)).idle) {
    if (time < before.getTime()) await unlink(join(temporary, file)).catch(unlessGone);
  }
  return owned + held - removed;
}

async function stagesIn(folder: string): Promise<{ readonly idle: readonly Idle[]; readonly owned: number }> {
  const idle: Idle[] = [];
  let owned = 0;
  for (const [id, files] of await stageFiles(folder)) {
    const isInUse = files.some(isOwned);
    for (const file of files) {
      const info = await stat(join(folder, file)).catch(unlessGone);
      if (!info) continue;
      const { size, mtimeMs: time, ctimeMs } = info;
      if (isInUse) owned += size;
      else idle.push({ folder, id, file, size, time, usedAt: Math.max(time, ctimeMs) });
    }
  }
  return { idle, owned };
}

/** Removes a stage unless somebody has continued it in between. Returns the number of bytes removed. */
async function remove({ folder, id, file, size, time }: Idle): Promise<number> {
  const path = await takeFile(folder, id, file);
  if (path === undefined) return 0;
  if ((await stat(path)).mtimeMs === time) {
    await unlink(path);
    return size;
  }
  await releaseStage(folder, id, path);
  return 0;
}

async function foldersIn(directory: string): Promise<readonly string[]> {
  const found = (await readdir(directory, { withFileTypes: true }).catch(unlessGone)) ?? [];
  return found.flatMap((entry) => (entry.isDirectory() ? [join(directory, entry.name)] : []));
}

/** In milliseconds. A folder that was used more recently is needed again soon. */
const FOLDER_KEPT_MS = 3600 * 1000;

/** Best effort: a sweep that only counts also works on a read-only store. */
async function removeIfEmpty(folder: string): Promise<void> {
  const used = (await stat(folder).catch(unlessGone))?.mtimeMs;
  if (used === undefined || Math.abs(Date.now() - used) < FOLDER_KEPT_MS) return;
  await rmdir(folder).catch((error: unknown) => {
    if (!isFsError(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EROFS', 'EACCES', 'EPERM')) throw error;
  });
}

function unlessGone(error: unknown): undefined {
  if (!isFsError(error, 'ENOENT', 'ENOTDIR')) throw error;
}
