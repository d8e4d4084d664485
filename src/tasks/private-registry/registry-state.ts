// Where running embedded registries are written down for their own user. Relies on process identities: a state whose process has gone is no state.
//
//   DIR/images/registry.json                    the registry that serves the data directory DIR
//   $XDG_DATA_HOME/images/images/current.json   the data directory that was started last, when it is not the default one
//
// For other users see registry-adverts.ts.
import { rmSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ownIdentity } from '../../io/concurrency/process-identity.ts';
import { isBelievedThere } from '../../io/files/believed-path.ts';
import { userDirectory } from '../../io/files/user-directories.ts';
import { isObject } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { TaskEvents, World } from '../settings.ts';
import { advertise } from './registry-adverts.ts';
import {
  isRecorded,
  type RegistryState,
  readOwnedJson,
  readRecord,
  removeRecord,
  writeRecord,
} from './registry-record.ts';

type StateSettings = Pick<World, 'env' | 'home' | 'uid' | 'data'>;

/**
 * The data directory of this user: --data, $IMAGES_DATA, the one started last, the default one. Absolute. A note says whose it is where it is another user's.
 * Errors: NO_REGISTRY where that is the default one, which nobody named: $HOME and $XDG_DATA_HOME may be another user's, sudo keeps them in places;
 * CONFIG_INVALID where nobody names one and the user has no home.
 */
export function dataDirectory(settings: NotedSettings): string {
  const data = ownDataDirectory(settings);
  if (data !== undefined) return data;
  throw foreignDefault(defaultDataDirectory(settings), settings);
}

/** As `dataDirectory`; `undefined` where that is an error, with a note where there is something. */
export function dataDirectoryIfUsable(settings: NotedSettings): string | undefined {
  const data = ownDataDirectory(settings);
  const usual = usualDataDirectory(settings);
  if (data === undefined && usual !== undefined && settings.onNote) {
    const { message, hint } = foreignDefault(usual, settings);
    settings.onNote(`Left out: ${message}. ${hint}`);
  }
  return data;
}

type NotedSettings = StateSettings & TaskEvents;

function ownDataDirectory(settings: NotedSettings): string | undefined {
  const named = settings.data ?? (settings.env.IMAGES_DATA || undefined);
  const usual = usualDataDirectory(settings);
  if (named === undefined && (usual === undefined || foreignOwner(usual, settings) !== undefined)) return undefined;
  const data = named !== undefined ? resolve(named) : usual && (startedLast(usual, settings) ?? usual);
  if (data === undefined) return undefined;
  // Who is not told costs no look.
  const owner = settings.onNote && foreignOwner(data, settings);
  if (owner !== undefined) settings.onNote?.(`The images in ${data} are user ${owner}'s.`);
  return data;
}

/** Before the default data directory is used though another one was started last. Errors: NO_REGISTRY, CONFIG_INVALID. */
export function refuseForeignDefault(settings: StateSettings): void {
  const usual = defaultDataDirectory(settings);
  if (foreignOwner(usual, settings) !== undefined) throw foreignDefault(usual, settings);
}

function foreignDefault(data: string, settings: StateSettings): ImagesError {
  return new ImagesError('NO_REGISTRY', `the images in ${data} are user ${foreignOwner(data, settings)}'s`, {
    hint: `If they are meant, say so with --data=${data} or $IMAGES_DATA; else let HOME be your own.`,
  });
}

/** Errors: CONFIG_INVALID where the user has no home. */
export function defaultDataDirectory(settings: StateSettings): string {
  const usual = usualDataDirectory(settings);
  if (usual !== undefined) return usual;
  throw new ImagesError('CONFIG_INVALID', `there is no home directory to keep images in [user ${settings.uid}]`, {
    hint: 'Name a place with --data=DIR or $IMAGES_DATA, or set HOME to an absolute path.',
  });
}

export function usualDataDirectory(settings: Pick<StateSettings, 'env' | 'home'>): string | undefined {
  const base = userDirectory('XDG_DATA_HOME', settings);
  return base && join(base, 'images');
}

/** The running registry that serves `data`; what others could have written there is not believed. */
export function runningRegistry(data: string, { uid }: Pick<World, 'uid'>): RegistryState | undefined {
  const path = statePath(data);
  const state = readRecord(path);
  return state && isBelievedThere(dirname(path), state.uid, uid) ? { ...state, data } : undefined;
}

/** Whether the data directory still says that this registry serves it. For the registry itself: nobody waits for the disk. */
export function isAnnounced({ data, identity }: RegistryState): Promise<boolean> {
  return isRecorded(statePath(data), identity);
}

/** The user whose data directory it is; `undefined` for one's own, root's, and one that is not there. */
function foreignOwner(data: string, { uid }: Pick<World, 'uid'>): number | undefined {
  const owner = infoOf(data)?.uid;
  return owner === uid || owner === 0 ? undefined : owner;
}

/** Writes down that this process serves `data`; returns what undoes it. Errors: NO_ACCESS, READ_ONLY, NO_SPACE. */
export function announceRegistry(
  served: Pick<RegistryState, 'data' | 'addresses' | 'version'>,
  settings: StateSettings,
): { readonly state: RegistryState; withdraw(): void } {
  const identity = ownIdentity();
  const state: RegistryState = {
    ...served,
    identity,
    pid: Number(identity.split('.')[0]),
    uid: settings.uid,
    since: new Date().toISOString(),
  };
  writeRecord(statePath(state.data), state);
  rememberData(state.data, settings);
  const withdrawAdvert = advertise(state, settings);
  return {
    state,
    withdraw: () => {
      removeRecord(statePath(state.data), identity);
      withdrawAdvert();
    },
  };
}

/** The next command without --data goes to the same store, also after the registry has stopped; but not another user's. */
function rememberData(data: string, settings: StateSettings): void {
  const usual = usualDataDirectory(settings);
  if (usual === undefined || foreignOwner(nearestThere(usual), settings) !== undefined) return;
  const path = currentPath(usual);
  if (data !== usual) writeRecord(path, { data });
  else rmSync(path, { force: true });
}

/** The path, or the directory above it that is there. */
function nearestThere(path: string): string {
  let at = path;
  while (infoOf(at) === undefined && at !== dirname(at)) at = dirname(at);
  return at;
}

function startedLast(usual: string, settings: StateSettings): string | undefined {
  const path = currentPath(usual);
  const { value, uid } = readOwnedJson(path) ?? {};
  if (!isObject(value) || uid === undefined || !isBelievedThere(dirname(path), uid, settings.uid)) return undefined;
  const data = typeof value.data === 'string' ? value.data : undefined;
  if (data === undefined || !infoOf(data)?.isDirectory()) return undefined;
  // One that has stopped stands back behind the default one, where that still runs.
  return !runningRegistry(data, settings) && runningRegistry(usual, settings) ? undefined : data;
}

/** `undefined` for what is not there or not to be seen. */
function infoOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function statePath(data: string): string {
  return join(data, 'images/registry.json');
}

function currentPath(usual: string): string {
  return join(usual, 'images/current.json');
}
