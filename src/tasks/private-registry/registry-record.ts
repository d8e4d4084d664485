// The record file of a running embedded registry. It is trusted only if its process still runs, and runs as the owner of the file.
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { isAlive, ownIdentity, type ProcessIdentity } from '../../io/concurrency/process-identity.ts';
import { readOwnedText } from '../../io/files/believed-path.ts';
import { isFsError, translateFsError } from '../../io/files/fs-errors.ts';
import { isObject } from '../../oci/decode.ts';
import type { BoundAddress } from '../../server/address.ts';
import type { RecordedProxy } from './proxy-config.ts';
import type { CollectionSchedule, ScrubSchedule } from './registry-config.ts';

export interface RegistryState {
  readonly identity: ProcessIdentity;
  readonly pid: number;
  readonly uid: number;
  /** The absolute path of the data directory. */
  readonly data: string;
  readonly addresses: readonly BoundAddress[];
  /** The start time in ISO 8601. */
  readonly since: string;
  readonly version: string;
  /** How often it collects garbage; unknown of earlier versions. */
  readonly gc?: CollectionSchedule;
  /** How often it checks its store; unknown of earlier versions. */
  readonly scrub?: ScrubSchedule;
  /** From where it fetched what is missing when it started; absent if it does not. */
  readonly proxy?: RecordedProxy;
  /** The absolute path of its configuration, if --config named one. */
  readonly config?: string;
  /** The absolute path of the file of its users, if users can log in. */
  readonly users?: string;
  /** Which options of access and TLS it was started with (started-with.ts). */
  readonly startedWith?: string;
  /** The absolute path of the secret by which commands on this machine are known to it (owner-secret.ts). */
  readonly ownerFile?: string;
  /** The absolute path of the certificate of its own CA, if it has one. */
  readonly caFile?: string;
  /** SIGHUP makes it read its configuration again; it ends earlier versions. */
  readonly reloads?: boolean;
  /** SIGQUIT makes it end when all requests that are under way have ended; it kills earlier versions. In milliseconds: how long they may take when SIGTERM says so; 0 if not. */
  readonly drain?: number;
  /** Where its log is; unknown of earlier versions. */
  readonly log?: LogPlace;
}

/** Where the log of a registry is. */
export type LogPlace =
  | { readonly kind: 'file'; readonly path: string }
  /** Of systemd; `isUser`: of the user's own manager. */
  | { readonly kind: 'journal'; readonly unit: string; readonly isUser: boolean }
  /** Nobody can read it again here: `what` is said of it. */
  | { readonly kind: 'elsewhere'; readonly what: string };

const MAX_RECORD = 64 * 1024;

interface ReadOptions {
  /** Others can put files there: one that others than its owner can write says nothing. They may have given a second name to a file of root's that everybody can write. */
  readonly isShared?: boolean;
}

/**
 * The record of a registry that runs as the owner of the file. Returns `undefined` for anything else: no such file, no record, another user's process, a process
 * that has ended (also if its pid is in use again, or the machine was restarted).
 */
export function readRecord(path: string, { isShared = false }: ReadOptions = {}): RegistryState | undefined {
  const { value, uid, isOwnersAlone } = readOwnedJson(path) ?? {};
  if (isShared && !isOwnersAlone) return undefined;
  const state = decodeState(value);
  if (!state || state.uid !== uid || !isAlive(state.identity)) return undefined;
  return Number(state.identity.split('.')[0]) === state.pid && runsAs(state.pid, uid) ? state : undefined;
}

export interface OwnedJson {
  readonly value: unknown;
  /** The user who owns the file. */
  readonly uid: number;
  /** Nobody else can write it, but for root. */
  readonly isOwnersAlone: boolean;
}

/** Returns `undefined` if the file is missing or unreadable. */
export function readOwnedJson(path: string): OwnedJson | undefined {
  const read = readOwnedText(path, MAX_RECORD);
  try {
    return read && { value: JSON.parse(read.text), uid: read.uid, isOwnersAlone: (read.mode & 0o022) === 0 };
  } catch {
    return undefined;
  }
}

/** Writes atomically: into a temporary file, which is then renamed. In a sticky directory the rename fails if the file is another user's. */
export function writeRecord(path: string, value: unknown, mode = 0o644): void {
  const temporary = join(dirname(path), `.images-${randomUUID()}`);
  try {
    makeDirectorySync(dirname(path));
    writeFileSync(temporary, `${JSON.stringify(value)}\n`, { flag: 'wx', mode });
    renameSync(temporary, path);
  } catch (error) {
    attempt(() => rmSync(temporary, { force: true }));
    throw translateFsError(error, path);
  }
}

/** Whether the record at this path is that of this registry process. */
export async function isRecorded(path: string, identity: ProcessIdentity): Promise<boolean> {
  try {
    return decodeState(JSON.parse(await readFile(path, 'utf8')))?.identity === identity;
  } catch (error) {
    if (error instanceof SyntaxError || isFsError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** Makes directories one by one, as io/files/atomic-file.ts does: Node's recursive mkdir never returns in a file system like /proc. */
function makeDirectorySync(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (isFsError(error, 'EEXIST')) return;
    if (!isFsError(error, 'ENOENT') || dirname(path) === path) throw error;
    makeDirectorySync(dirname(path));
    mkdirSync(path);
  }
}

/** Removes the record if it is still that of this registry process. */
export function removeRecord(path: string, identity: ProcessIdentity): void {
  const { value } = readOwnedJson(path) ?? {};
  if (isObject(value) && value.identity === identity) attempt(() => rmSync(path, { force: true }));
}

export function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Best effort: the callers do not depend on it.
  }
}

/**
 * Whether the process `pid` runs as the user `uid` right now (its effective user: that is who owns /proc/PID, proc(5)). So nobody can record a process of another
 * user as a registry. It says nothing about which process that is: a later one may have the same pid, which `isAlive` excludes. Without /proc the user of a
 * process is unknown, and this is true; then only the owner of the record file counts.
 */
function runsAs(pid: number, uid: number): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === uid;
  } catch (error) {
    return isFsError(error, 'ENOENT') && ownIdentity().split('.')[1] === '';
  }
}

function decodeState(value: unknown): RegistryState | undefined {
  if (!isObject(value) || !Array.isArray(value.addresses)) return undefined;
  const { identity, pid, uid, data, since, version, gc, scrub, config, users, startedWith } = value;
  const { ownerFile, caFile, reloads, drain } = value;
  const proxy = decodeProxy(value.proxy);
  const log = decodeLogPlace(value.log);
  const addresses = value.addresses
    .filter(isObject)
    .flatMap(({ host, port, tls }) =>
      typeof host === 'string' && typeof port === 'number' ? [{ host, port, ...(tls === true && { tls }) }] : [],
    );
  if (typeof pid !== 'number' || typeof uid !== 'number') return undefined;
  if (typeof identity !== 'string' || typeof data !== 'string') return undefined;
  if (typeof since !== 'string' || typeof version !== 'string') return undefined;
  return {
    ...{ identity, pid, uid, data, addresses, since, version },
    ...(typeof startedWith === 'string' && { startedWith }),
    ...((gc === 'daily' || gc === 'off') && { gc }),
    ...((scrub === 'weekly' || scrub === 'off') && { scrub }),
    ...(proxy && { proxy }),
    ...(isPath(config) && { config }),
    ...(isPath(users) && { users }),
    ...(isPath(ownerFile) && { ownerFile }),
    ...(isPath(caFile) && { caFile }),
    ...(reloads === true && { reloads }),
    ...(typeof drain === 'number' && { drain }),
    ...(log && { log }),
  };
}

function decodeProxy(value: unknown): RecordedProxy | undefined {
  if (!isObject(value) || !Array.isArray(value.hosts) || typeof value.ttl !== 'number') return undefined;
  const hosts = value.hosts.filter((host) => typeof host === 'string');
  return { hosts, ttl: value.ttl, offline: value.offline === true };
}

function decodeLogPlace(value: unknown): LogPlace | undefined {
  if (!isObject(value)) return undefined;
  const { kind, path, unit, isUser, what } = value;
  if (kind === 'file') return isPath(path) ? { kind, path } : undefined;
  if (kind === 'journal') return isUnit(unit) ? { kind, unit, isUser: isUser === true } : undefined;
  return kind === 'elsewhere' && typeof what === 'string' ? { kind, what } : undefined;
}

/** A name that is no option of journalctl. */
function isUnit(value: unknown): value is string {
  return typeof value === 'string' && /^[\w@:.\\][\w@:.\\-]{0,254}\.service$/.test(value);
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && isAbsolute(value);
}
