// Where running embedded registries are written down. Relies on process identities: a state whose process has gone is no state.
//
//   DIR/images/registry.json                    the registry that serves the data directory DIR
//   $XDG_DATA_HOME/images/images/current.json   the data directory that was started last, when it is not the default one
//   /tmp/images-registry-UID-PID.json           for other users: mode 0644, believed only if user UID owns the file and the process
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { translateFsError } from '../io/fs-errors.ts';
import { identityOf, isAlive, ownIdentity, type ProcessIdentity } from '../io/process-identity.ts';
import { isObject } from '../oci/decode.ts';
import type { ListenAddress } from '../server/address.ts';
import type { Settings } from './settings.ts';

/** A bound address: without brackets; may be `0.0.0.0` or `::`. */
export type BoundAddress = Required<ListenAddress>;

export interface RegistryState {
  readonly identity: ProcessIdentity;
  readonly pid: number;
  readonly uid: number;
  /** The data directory, absolute. */
  readonly data: string;
  readonly addresses: readonly BoundAddress[];
  /** ISO 8601. */
  readonly since: string;
  readonly version: string;
}

type StateSettings = Pick<Settings, 'env' | 'home' | 'uid' | 'data'>;

const MAX_STATE = 64 * 1024;
const ADVERT = /^images-registry-(\d+)-\d+\.json$/;

/** The data directory of this user: --data, $IMAGES_DATA, the one started last, the default one. Absolute. */
export function dataDirectory(settings: StateSettings): string {
  const named = settings.data ?? (settings.env.IMAGES_DATA || undefined);
  return named !== undefined ? resolve(named) : (startedLast(settings) ?? defaultDataDirectory(settings));
}

export function defaultDataDirectory({ env, home }: StateSettings): string {
  return resolve(join(env.XDG_DATA_HOME || join(home, '.local/share'), 'images'));
}

/** The running registry that serves `data`. */
export function runningRegistry(data: string): RegistryState | undefined {
  const state = decodeState(readJson(statePath(data)));
  return state && isAlive(state.identity) ? { ...state, data } : undefined;
}

/** Running embedded registries of other users, root's first. */
export function registriesOfOthers(settings: StateSettings): readonly RegistryState[] {
  return announcedRegistries(settings).filter(({ uid }) => uid !== settings.uid);
}

/** Running embedded registries of all users, root's first. */
export function announcedRegistries(settings: StateSettings): readonly RegistryState[] {
  return adverts(settings).flatMap(({ path, uid }) => readAdvert(path, uid) ?? []);
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
  writeJson(statePath(state.data), state);
  rememberData(state.data, settings);
  removeOldAdverts(settings);
  const advert = join(runtimeDirectory(settings), `images-registry-${settings.uid}-${state.pid}.json`);
  // Only other users need it: where it cannot be written, or somebody took its name, this user's registry works all the same.
  attempt(() => writeJson(advert, state));
  return {
    state,
    withdraw: () => {
      for (const path of [statePath(state.data), advert]) {
        if (decodeState(readJson(path))?.identity === identity) attempt(() => rmSync(path, { force: true }));
      }
    },
  };
}

/** The next command without --data goes to the same store, also after the registry has stopped. */
function rememberData(data: string, settings: StateSettings): void {
  const path = currentPath(settings);
  if (data !== defaultDataDirectory(settings)) writeJson(path, { data });
  else rmSync(path, { force: true });
}

function startedLast(settings: StateSettings): string | undefined {
  const current = readJson(currentPath(settings));
  const data = isObject(current) && typeof current.data === 'string' ? current.data : undefined;
  if (data === undefined || !statSync(data, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  // One that has stopped stands back behind the default one, where that still runs.
  return !runningRegistry(data) && runningRegistry(defaultDataDirectory(settings)) ? undefined : data;
}

interface Advert {
  readonly path: string;
  readonly uid: number;
}

function adverts(settings: StateSettings): readonly Advert[] {
  const directory = runtimeDirectory(settings);
  return listDirectory(directory)
    .map((file) => ({ path: join(directory, file), uid: Number(ADVERT.exec(file)?.[1] ?? Number.NaN) }))
    .filter(({ uid }) => Number.isInteger(uid))
    .sort((a, b) => a.uid - b.uid);
}

/** Of this user's registries that were killed. */
function removeOldAdverts(settings: StateSettings): void {
  for (const { path, uid } of adverts(settings)) {
    if (uid === settings.uid && !readAdvert(path, uid)) attempt(() => rmSync(path, { force: true }));
  }
}

function readAdvert(path: string, uid: number): RegistryState | undefined {
  try {
    // Anybody may put links, pipes and files of others' names into /tmp.
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const info = fstatSync(file);
      if (!info.isFile() || info.uid !== uid || info.size > MAX_STATE) return undefined;
      const state = decodeState(JSON.parse(readFileSync(file, 'utf8')));
      return state && state.uid === uid && runsAs(state, uid) ? state : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function runsAs(state: RegistryState, uid: number): boolean {
  return identityOf(state.pid) === state.identity && statSync(`/proc/${state.pid}`).uid === uid;
}

function decodeState(value: unknown): RegistryState | undefined {
  if (!isObject(value) || !Array.isArray(value.addresses)) return undefined;
  const { identity, pid, uid, data, since, version } = value;
  const addresses = value.addresses
    .filter(isObject)
    .flatMap(({ host, port }) => (typeof host === 'string' && typeof port === 'number' ? [{ host, port }] : []));
  if (typeof pid !== 'number' || typeof uid !== 'number') return undefined;
  if (typeof identity !== 'string' || typeof data !== 'string') return undefined;
  if (typeof since !== 'string' || typeof version !== 'string') return undefined;
  return { identity, pid, uid, data, addresses, since, version };
}

function statePath(data: string): string {
  return join(data, 'images/registry.json');
}

function currentPath(settings: StateSettings): string {
  return join(defaultDataDirectory(settings), 'images/current.json');
}

function runtimeDirectory({ env }: StateSettings): string {
  return env.IMAGES_RUNTIME || '/tmp';
}

/** `undefined` where there is none, or none that can be read. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whole or not at all: made under a name of its own, then renamed. Renaming over another user's file fails in a sticky directory. */
function writeJson(path: string, value: unknown): void {
  const temporary = join(dirname(path), `.images-${randomUUID()}`);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(temporary, `${JSON.stringify(value)}\n`, { flag: 'wx', mode: 0o644 });
    renameSync(temporary, path);
  } catch (error) {
    attempt(() => rmSync(temporary, { force: true }));
    throw translateFsError(error, path);
  }
}

function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Its callers do without.
  }
}
