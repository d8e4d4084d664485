// Sweeping stages: what nobody owns and nobody came back for. One look at each folder, whatever is in it.
import { readdir, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError } from '../io/fs-errors.ts';
import { isOwned, releaseStage, stageFiles, takeFile } from './fs-ownership.ts';
import type { SweepLimits } from './object-store.ts';

export interface SweptFolders {
  /** Of the stages: folders of files. Files beside them are stages of earlier versions. */
  readonly directory: string;
  /** Files of puts that were killed. */
  readonly temporary: string;
}

interface Idle {
  readonly folder: string;
  readonly id: string;
  readonly file: string;
  readonly size: number;
  /** When it was last written to, in milliseconds. */
  readonly time: number;
}

export async function sweepStages({ directory, temporary }: SweptFolders, limits: SweepLimits): Promise<void> {
  const { before, most = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = limits;
  const folders = [...(await foldersIn(directory)), directory];
  const idle: Idle[] = [];
  for (const folder of folders) idle.push(...(await idleIn(folder)));
  // The newest stay: whoever comes back comes back soon.
  idle.sort((a, b) => b.time - a.time);
  let held = 0;
  for (const [at, stage] of idle.entries()) {
    held += stage.size;
    // The very newest, whatever its size: a client that sent a layer in one request commits it in the next.
    if (stage.time < before.getTime() || at >= most || (at > 0 && held > bytes)) await remove(stage);
  }
  for (const folder of folders) await removeIfEmpty(folder);
  for (const { file, time } of await idleIn(temporary)) {
    if (time < before.getTime()) await unlink(join(temporary, file)).catch(unlessGone);
  }
}

async function idleIn(folder: string): Promise<readonly Idle[]> {
  const idle: Idle[] = [];
  for (const [id, files] of await stageFiles(folder)) {
    if (files.some(isOwned)) continue;
    for (const file of files) {
      const info = await stat(join(folder, file)).catch(unlessGone);
      if (info) idle.push({ folder, id, file, size: info.size, time: info.mtimeMs });
    }
  }
  return idle;
}

/** Unless somebody has gone on with it meanwhile. */
async function remove({ folder, id, file, time }: Idle): Promise<void> {
  const path = await takeFile(folder, id, file);
  if (path === undefined) return;
  if ((await stat(path)).mtimeMs === time) await unlink(path);
  else await releaseStage(folder, id, path);
}

async function foldersIn(directory: string): Promise<readonly string[]> {
  const found = (await readdir(directory, { withFileTypes: true }).catch(unlessGone)) ?? [];
  return found.flatMap((entry) => (entry.isDirectory() ? [join(directory, entry.name)] : []));
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: unknown) => {
    if (!isFsError(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error;
  });
}

function unlessGone(error: unknown): undefined {
  if (!isFsError(error, 'ENOENT', 'ENOTDIR')) throw error;
}
