// Where running registries are announced to other users, and which of these announcements are trusted.
//
//   /run/images/images-registry-UID-PID.json   registries of root, and of services to which root gave the directory
//   /tmp/images-registry-UID-PID.json          registries of other users: anybody can write there, so a user must name them to use them
//
// $IMAGES_RUNTIME replaces both directories. A file is trusted only if user UID owns it, alone can write it, and runs the process.
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isGivenByRoot } from '../../io/files/believed-path.ts';
import type { World } from '../settings.ts';
import { attempt, type RegistryState, readRecord, removeRecord, writeRecord } from './registry-record.ts';

type AdvertSettings = Pick<World, 'env' | 'uid'>;

const SYSTEM = '/run/images';
const ADVERT = /^images-registry-(\d+)-\d+\.json$/;

/** Running embedded registries of all users, root's first. For messages only: none of them may be used because of this list. */
export function announcedRegistries(settings: AdvertSettings): readonly RegistryState[] {
  return adverts(settings)
    .flatMap(({ path, uid }) => readAdvert(path, uid) ?? [])
    .sort((a, b) => a.uid - b.uid);
}

/** Registries of other users that are used without being named: root's, and those announced in a directory that only root and its chosen services can write. Root's first. */
export function systemRegistries(settings: AdvertSettings): readonly RegistryState[] {
  return adverts(settings)
    .filter(({ path, uid }) => uid !== settings.uid && (uid === 0 || isGivenByRoot(dirname(path), uid)))
    .flatMap(({ path, uid }) => readAdvert(path, uid) ?? [])
    .sort((a, b) => a.uid - b.uid);
}

/** Announced registries that this user believes without naming them: the user's own, root's, and those of services to which root gave a directory. */
export function believedRegistries(settings: AdvertSettings): readonly RegistryState[] {
  return adverts(settings)
    .filter(({ path, uid }) => uid === settings.uid || uid === 0 || isGivenByRoot(dirname(path), uid))
    .flatMap(({ path, uid }) => readAdvert(path, uid) ?? []);
}

/** Whether a registry of this user is a service of the machine: root's, or of a user to whom root gave a directory for announcements. */
export function isSystemService(settings: AdvertSettings): boolean {
  const { uid } = settings;
  return (
    uid === 0 || directories(settings).some((directory) => isOwnedBy(directory, uid) && isGivenByRoot(directory, uid))
  );
}

/**
 * Announces a registry to other users; returns a function that withdraws it. Best effort: if the file cannot be written, or its name is taken, the registry
 * still works for its own user.
 */
export function advertise(state: RegistryState, settings: AdvertSettings): () => void {
  removeOld(settings);
  for (const directory of directories(settings)) {
    const path = join(directory, `images-registry-${state.uid}-${state.pid}.json`);
    try {
      if (directory === SYSTEM) makeReadable(directory);
      writeRecord(path, state);
      return () => removeRecord(path, state.identity);
    } catch {
      // Try the next directory.
    }
  }
  return () => undefined;
}

interface Advert {
  readonly path: string;
  readonly uid: number;
}

function adverts(settings: AdvertSettings): readonly Advert[] {
  return directories(settings).flatMap((directory) =>
    listDirectory(directory)
      .map((file) => ({ path: join(directory, file), uid: Number(ADVERT.exec(file)?.[1] ?? Number.NaN) }))
      .filter(({ uid }) => Number.isInteger(uid)),
  );
}

function readAdvert(path: string, uid: number): RegistryState | undefined {
  const state = readRecord(path, { isShared: true });
  return state?.uid === uid ? state : undefined;
}

/** Removes the files of this user's registries that were killed. */
function removeOld(settings: AdvertSettings): void {
  for (const { path, uid } of adverts(settings)) {
    if (uid === settings.uid && !readAdvert(path, uid)) attempt(() => rmSync(path, { force: true }));
  }
}

function directories({ env }: AdvertSettings): readonly string[] {
  return env.IMAGES_RUNTIME ? [resolve(env.IMAGES_RUNTIME)] : [SYSTEM, '/tmp'];
}

/** Makes the directory readable for all, independent of root's umask. Best effort: only root, or the owner of the directory, can do it. */
function makeReadable(directory: string): void {
  attempt(() => mkdirSync(directory));
  attempt(() => chmodSync(directory, 0o755));
}

function isOwnedBy(path: string, uid: number): boolean {
  try {
    return statSync(path).uid === uid;
  } catch {
    return false;
  }
}

function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
