// Where running registries are announced to other users, and which of these announcements are believed.
//
//   /run/images/images-registry-UID-PID.json   root's, and those of services that root gave the directory to
//   /tmp/images-registry-UID-PID.json          other users': anybody can write there, so they are used by nobody else unless they are named
//
// $IMAGES_RUNTIME takes the place of both. A file counts only where user UID owns it and runs the process.
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isGivenByRoot } from '../../io/files/believed-path.ts';
import type { World } from '../settings.ts';
import { attempt, type RegistryState, readRecord, removeRecord, writeRecord } from './registry-record.ts';

type AdvertSettings = Pick<World, 'env' | 'uid'>;

const SYSTEM = '/run/images';
const ADVERT = /^images-registry-(\d+)-\d+\.json$/;

/** Running embedded registries of all users, root's first: for messages. Nothing may come to be used because of them. */
export function announcedRegistries(settings: AdvertSettings): readonly RegistryState[] {
  return adverts(settings)
    .flatMap(({ path, uid }) => readAdvert(path, uid) ?? [])
    .sort((a, b) => a.uid - b.uid);
}

/** Those of others that are used without being named: root's, and those announced where root alone decides who writes. Root's first. */
export function systemRegistries(settings: AdvertSettings): readonly RegistryState[] {
  return adverts(settings)
    .filter(({ path, uid }) => uid !== settings.uid && (uid === 0 || isGivenByRoot(dirname(path), uid)))
    .flatMap(({ path, uid }) => readAdvert(path, uid) ?? [])
    .sort((a, b) => a.uid - b.uid);
}

/** Returns what undoes it. Only other users need it: where it cannot be written, or somebody took its name, this user's registry works all the same. */
export function advertise(state: RegistryState, settings: AdvertSettings): () => void {
  removeOld(settings);
  for (const directory of directories(settings)) {
    const path = join(directory, `images-registry-${state.uid}-${state.pid}.json`);
    try {
      if (directory === SYSTEM) makeReadable(directory);
      writeRecord(path, state);
      return () => removeRecord(path, state.identity);
    } catch {
      // The next one.
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
  const state = readRecord(path);
  return state?.uid === uid ? state : undefined;
}

/** Of this user's registries that were killed. */
function removeOld(settings: AdvertSettings): void {
  for (const { path, uid } of adverts(settings)) {
    if (uid === settings.uid && !readAdvert(path, uid)) attempt(() => rmSync(path, { force: true }));
  }
}

function directories({ env }: AdvertSettings): readonly string[] {
  return env.IMAGES_RUNTIME ? [resolve(env.IMAGES_RUNTIME)] : [SYSTEM, '/tmp'];
}

/** Whatever root's umask is. Who is not root, and was not given the directory, cannot. */
function makeReadable(directory: string): void {
  attempt(() => mkdirSync(directory));
  attempt(() => chmodSync(directory, 0o755));
}

function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
