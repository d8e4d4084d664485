// Stages between two requests of one client, which follow each other within milliseconds: their file stays open for a moment, and keeps its name, which says that
// this process owns it. So the next request needs neither to look for it nor to take it. Another process waits as long; if this one is killed, it takes it over at once.
import { fstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type OwnedFile, releaseStage } from './fs-ownership.ts';

/** In milliseconds. */
const REST_MS = 1000;
/** Bounds the files that are open. */
const MOST = 64;

interface Resting extends OwnedFile {
  readonly id: string;
  readonly timer: NodeJS.Timeout;
}

/** Of this process, whichever of its stores they belong to; by folder and id. The one that began first comes first. */
const resting = new Map<string, Resting>();

/** The stage's bytes are written, and nobody uses it. */
export function rest(id: string, { path, handle }: OwnedFile): void {
  const place = join(dirname(path), id);
  const timer = setTimeout(() => void end(place), REST_MS).unref();
  resting.set(place, { id, path, handle, timer });
  const [first] = resting.keys();
  if (resting.size > MOST && first !== undefined) void end(first);
}

/** The stage, if it rests in this folder, and nobody has deleted it meanwhile. */
export async function takeResting(folder: string, id: string): Promise<OwnedFile | undefined> {
  const found = remove(join(folder, id));
  if (!found) return undefined;
  if (fstatSync(found.handle.fd).nlink === 1) return found;
  await found.handle.close();
  return undefined;
}

/** Gives back all that rest below this directory, so that they have no owner. */
export async function endRests(directory: string): Promise<void> {
  const below = join(directory, '/');
  await Promise.all([...resting.keys()].filter((place) => place.startsWith(below)).map(end));
}

async function end(place: string): Promise<void> {
  const found = remove(place);
  if (!found) return;
  try {
    // A file that cannot be closed without an error is closed all the same. Others would wait for its owner as long as this process lives.
    await found.handle.close().catch(() => {});
    await releaseStage(dirname(found.path), found.id, found.path);
  } catch {
    // What has happened to the file meanwhile, the next owner finds out.
  }
}

function remove(place: string): Resting | undefined {
  const found = resting.get(place);
  clearTimeout(found?.timer);
  resting.delete(place);
  return found;
}
