// Where running embedded registries are recorded for their own user. Relies on process identities: a record whose process has ended is ignored.
//
//   DIR/images/registry.json                    the registry that serves the data directory DIR
//   $XDG_DATA_HOME/images/images/current.json   the data directory that was started last, if it is not the default one
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
 * The data directory of this user: --data, $IMAGES_DATA, the one started last, or the default. An absolute path. If it is another user's, a note tells so.
 * Errors: NO_REGISTRY if the default directory is another user's and was not named ($HOME and $XDG_DATA_HOME may be another user's, because sudo sometimes
 * keeps them); CONFIG_INVALID if none is named and the user has no home.
 */
export function dataDirectory(settings: NotedSettings): string {
  const data = ownDataDirectory(settings);
  if (data !== undefined) return data;
  throw foreignDefault(defaultDataDirectory(settings), settings);
}

/** Like `dataDirectory`, but returns `undefined` instead of an error. A note tells if the default directory is another user's. */
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
  // The owner is needed for the note only.
  const owner = settings.onNote && foreignOwner(data, settings);
  if (owner !== undefined) settings.onNote?.(`The images in ${data} are user ${owner}'s.`);
  return data;
}

/** For callers that use the default data directory even if another one was started last. Errors: NO_REGISTRY (it is another user's), CONFIG_INVALID. */
export function refuseForeignDefault(settings: StateSettings): void {
  const usual = defaultDataDirectory(settings);
  if (foreignOwner(usual, settings) !== undefined) throw foreignDefault(usual, settings);
}

function foreignDefault(data: string, settings: StateSettings): ImagesError {
  return new ImagesError('NO_REGISTRY', `the images in ${data} are user ${foreignOwner(data, settings)}'s`, {
    hint: `If they are meant, say so with --data=${data} or $IMAGES_DATA; else let HOME be your own.`,
  });
}

/** Errors: CONFIG_INVALID if the user has no home. */
export function defaultDataDirectory(settings: StateSettings): string {
  const usual = usualDataDirectory(settings);
  if (usual !== undefined) return usual;
  throw new ImagesError('CONFIG_INVALID', `there is no home directory to keep images in [user ${settings.uid}]`, {
    hint: 'Name a directory with --data=DIR or $IMAGES_DATA, or set HOME to an absolute path.',
  });
}

export function usualDataDirectory(settings: Pick<StateSettings, 'env' | 'home'>): string | undefined {
  const base = userDirectory('XDG_DATA_HOME', settings);
  return base && join(base, 'images');
}

/** The running registry that serves `data`. A record that other users could have written is ignored. */
export function runningRegistry(data: string, { uid }: Pick<World, 'uid'>): RegistryState | undefined {
  const path = statePath(data);
  const state = readRecord(path);
  return state && isBelievedThere(dirname(path), state.uid, uid) ? { ...state, data } : undefined;
}

/** Whether the record in the data directory is still this registry's. Asynchronous, because the registry itself calls it and must not block on the disk. */
export function isAnnounced({ data, identity }: RegistryState): Promise<boolean> {
  return isRecorded(statePath(data), identity);
}

/** The user who owns the data directory. Returns `undefined` if that is this user or root, or if there is no directory. */
function foreignOwner(data: string, { uid }: Pick<World, 'uid'>): number | undefined {
  const owner = infoOf(data)?.uid;
  return owner === uid || owner === 0 ? undefined : owner;
}

type Served = Omit<RegistryState, 'identity' | 'pid' | 'uid' | 'since'>;

export interface Announcement {
  readonly state: RegistryState;
  /** Writes the record anew, with what has changed. Errors: NO_ACCESS, READ_ONLY, NO_SPACE. */
  renew(served: Served): void;
  withdraw(): void;
}

/**
 * Records that this process serves `data`; returns the record and a function that removes it. On a read-only medium there is no record: other users'
 * adverts are all that tells of the registry. Errors, after which nothing is recorded: NO_ACCESS, READ_ONLY, NO_SPACE.
 */
export function announceRegistry(
  served: Served,
  settings: StateSettings,
  { isReadOnly = false }: { readonly isReadOnly?: boolean } = {},
): Announcement {
  const identity = ownIdentity();
  const own = { identity, pid: Number(identity.split('.')[0]), uid: settings.uid, since: new Date().toISOString() };
  const state: RegistryState = { ...served, ...own };
  if (isReadOnly) return { state, renew: () => undefined, withdraw: advertise(state, settings) };
  writeRecord(statePath(state.data), state);
  try {
    rememberData(state.data, settings);
  } catch (error) {
    removeRecord(statePath(state.data), identity);
    throw error;
  }
  const withdrawAdvert = advertise(state, settings);
  return {
    state,
    renew: (now) => writeRecord(statePath(state.data), { ...now, ...own }),
    withdraw: () => {
      removeRecord(statePath(state.data), identity);
      withdrawAdvert();
    },
  };
}

/** Makes later commands without --data use the same store, even after the registry has stopped. Does nothing if the default directory is another user's. */
function rememberData(data: string, settings: StateSettings): void {
  const usual = usualDataDirectory(settings);
  if (usual === undefined || foreignOwner(nearestThere(usual), settings) !== undefined) return;
  const path = currentPath(usual);
  if (data !== usual) writeRecord(path, { data });
  else rmSync(path, { force: true });
}

/** The path, or its nearest ancestor that exists. */
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
  // If this registry has stopped but the one of the default directory runs, the default has precedence.
  return !runningRegistry(data, settings) && runningRegistry(usual, settings) ? undefined : data;
}

/** Returns `undefined` if the path does not exist or cannot be accessed. */
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
