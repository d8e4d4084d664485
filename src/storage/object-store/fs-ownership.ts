// Ownership of stages between processes. The owner is part of the file's *name*: `ID` has no owner, `ID~PID.START.BOOT.N` belongs to that process. So taking
// a stage, taking it over from a dead owner, giving it back and publishing it are one rename each, which only one process can win. No
// lock file is made and removed for each blob (ext4 becomes slow for seconds in directories full of freshly removed inodes).
//
// Only the first file of a stage is made without a rename. There, and after each taking, the rule is: make the own name first, then list the
// directory. Of two processes at once at least one sees the other, so they never both go on. One that sees another live owner withdraws and retries later.
//
// A name can end in `+SIZE`: so many bytes have been synced under this name. After a power cut, the bytes behind them are unknown.
import { fstatSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, ownIdentity } from '../../io/concurrency/process-identity.ts';
import { inDirectory } from '../../io/files/atomic-file.ts';
import { isFsError } from '../../io/files/fs-errors.ts';

const MARK = '~';
const SYNCED = '+';
const FIRST_WAIT_MS = 4;
const LONGEST_WAIT_MS = 150;

/** A stage's file, under its owner's name. */
export interface OwnedFile {
  readonly path: string;
  readonly handle: FileHandle;
}

export interface TakeOptions {
  readonly mustExist: boolean;
  /** Nobody else knows the id. */
  readonly isNew?: boolean;
  readonly signal: AbortSignal | undefined;
  /** Called with the topmost directory that was made for the stage. */
  readonly onMade?: (first: string | undefined) => void;
  /** The stage, if this process has it, and does not use it just now. */
  readonly resting?: () => Promise<OwnedFile | undefined>;
}

/** Takes the stage `id` in `directory`; makes its file unless `mustExist`; waits for a live owner. Returns `undefined` if there is none. */
export async function takeStage(directory: string, id: string, options: TakeOptions): Promise<OwnedFile | undefined> {
  const { mustExist, isNew, signal, onMade } = options;
  if (isNew) return await makeFirst(directory, id, onMade, 'alone');
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    const rested = await options.resting?.();
    if (rested) return rested;
    // Most stages are new, so the first attempt makes the file without looking.
    const files = attempt === 0 && !mustExist ? [] : await filesOf(directory, id);
    if (files.length === 0 && mustExist) return undefined;
    const taken =
      files.length === 0 ? await makeFirst(directory, id, onMade) : await takeExisting(directory, id, files);
    if (taken) return taken;
    if (attempt > 0) await pause(attempt, signal);
  }
}

/** Grows with each attempt, and is random: with equal pauses, two processes that collided once would collide for ever. */
async function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(attempt, 10), LONGEST_WAIT_MS) * (0.5 + Math.random());
  await delay(wait, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
}

/** Takes a file that had no owner when the folder was read. Returns its new path, `undefined` if another process was faster. */
export async function takeFile(directory: string, id: string, file: string): Promise<string | undefined> {
  const own = `${ownName(directory, id)}${syncedMark(file)}`;
  try {
    await rename(join(directory, file), own);
    return own;
  } catch (error) {
    if (isFsError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Gives the stage back with its bytes. */
export async function releaseStage(directory: string, id: string, path: string): Promise<void> {
  await rename(path, join(directory, `${id}${syncedMark(path)}`));
}

/** Records in the name that so many bytes are synced. Returns the new path, which must be made durable before anybody relies on it. */
export async function nameSynced(
  path: string,
  size: number,
  renameTo: (from: string, to: string) => Promise<void>,
): Promise<string> {
  const mark = syncedMark(path);
  const named = `${mark === '' ? path : path.slice(0, -mark.length)}${SYNCED}${size}`;
  await renameTo(path, named);
  return named;
}

/** The number of synced bytes in the file's name. */
export function syncedSize(path: string): number {
  return Number(syncedMark(path).slice(SYNCED.length));
}

function syncedMark(path: string): string {
  return /\+\d+$/.exec(path)?.[0] ?? '';
}

/** The paths of the stage's file. Usually one; for a moment more, while processes compete for the stage. */
export async function findStage(directory: string, id: string): Promise<readonly string[]> {
  return (await filesOf(directory, id)).map((file) => join(directory, file));
}

/** The files of all stages in `directory`, by id. */
export async function stageFiles(directory: string): Promise<ReadonlyMap<string, readonly string[]>> {
  return Map.groupBy(await list(directory), (file) => file.split(/[~+]/)[0] ?? file);
}

let names = 0;

function ownName(directory: string, id: string): string {
  names += 1;
  return join(directory, `${id}${MARK}${ownIdentity()}.${names}`);
}

async function makeFirst(
  directory: string,
  id: string,
  onMade: TakeOptions['onMade'],
  alone?: 'alone',
): Promise<OwnedFile | undefined> {
  const path = ownName(directory, id);
  const handle = await inDirectory(directory, () => open(path, 'wx+'), onMade);
  if (alone || (await filesOf(directory, id)).length === 1) return { path, handle };
  await handle.close();
  await unlink(path);
  return undefined;
}

async function takeExisting(directory: string, id: string, files: readonly string[]): Promise<OwnedFile | undefined> {
  if (files.length === 0 || files.some(isOwned)) return undefined;
  const own = await takeFile(directory, id, files[0] ?? id);
  if (own === undefined) return undefined;
  const others = (await filesOf(directory, id)).filter((file) => join(directory, file) !== own);
  if (!others.some(isOwned)) return { path: own, handle: await openTaken(own) };
  await releaseStage(directory, id, own);
  return undefined;
}

/** Opens a taken file, unless it has two names: a process was killed after it had published the file by a link. Such a file must not be written to. */
async function openTaken(path: string): Promise<FileHandle> {
  const handle = await open(path, 'r+');
  if (fstatSync(handle.fd).nlink === 1) return handle;
  await handle.close();
  await unlink(path);
  return await open(path, 'wx+');
}

/** Whether the name belongs to a live process. */
export function isOwned(file: string): boolean {
  const mark = file.indexOf(MARK);
  return mark >= 0 && isAlive(file.slice(mark + 1, file.lastIndexOf('.')));
}

async function filesOf(directory: string, id: string): Promise<readonly string[]> {
  return (await list(directory)).filter(
    (file) => file === id || file.startsWith(`${id}${MARK}`) || file.startsWith(`${id}${SYNCED}`),
  );
}

async function list(directory: string): Promise<readonly string[]> {
  try {
    const found = await readdir(directory, { withFileTypes: true });
    return found.flatMap((entry) => (entry.isDirectory() ? [] : [entry.name]));
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
