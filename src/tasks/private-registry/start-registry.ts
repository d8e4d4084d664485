// `lreg_start`: starts the embedded registry as a separate process, which outlives this one. It reports through a pipe that it is ready, or the error.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { makeDirectory } from '../../io/files/atomic-file.ts';
import { translateFsError } from '../../io/files/fs-errors.ts';
import { isObject } from '../../oci/decode.ts';
import { type ErrorCode, ImagesError } from '../../oci/errors.ts';
import type { Settings, TaskCall, World } from '../settings.ts';
import { discardEmptyStore, storeIsBegun } from './empty-store.ts';
import type { RegistryState } from './registry-record.ts';
import { dataDirectory, runningRegistry } from './registry-state.ts';
import { alreadyRunning, checkNames, listenAddresses, listensOn } from './serve-registry.ts';

export interface StartRequest {
  /** `ADDR:PORT`, as for serveRegistry. */
  readonly listen: readonly string[];
  /** As for serveRegistry. */
  readonly names?: readonly string[];
  /** The command that starts this program: the interpreter and its first arguments. */
  readonly program: readonly [string, ...string[]];
}

export interface StartedRegistry {
  readonly state: RegistryState;
  /** It was running before, with the requested addresses. */
  readonly already: boolean;
}

/** The file descriptor of the pipe in the new process. */
export const READY_DESCRIPTOR = 3;

/** What the new process writes into the pipe before it closes it: one line of JSON. */
export type ReadyMessage =
  | { readonly ready: true }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string } };

const MAX_LOG = 4 * 1024 * 1024;

/** Resolves when the registry is ready. Errors: ALREADY_RUNNING (with other addresses), those of serveRegistry, SERVER_ERROR (it ended without a message). */
export async function startRegistry(request: StartRequest, settings: Settings): Promise<StartedRegistry> {
  // Validates here, so that invalid input is reported before a process is started.
  listenAddresses(request.listen);
  checkNames(request.names);
  const data = dataDirectory(settings);
  const before = runningRegistry(data, settings);
  if (before) return alreadyAsWanted(before, request.listen);
  const isNew = !storeIsBegun(data);
  try {
    return await startAndAsk(request, data, settings);
  } catch (error) {
    if (isNew && !runningRegistry(data, settings)) {
      rmSync(logPath(data), { force: true });
      discardEmptyStore(data);
    }
    throw error;
  }
}

async function startAndAsk(request: StartRequest, data: string, settings: World & TaskCall): Promise<StartedRegistry> {
  const log = await openLog(data);
  let message: unknown;
  try {
    message = await startProcess(request, { data, log, settings });
  } finally {
    closeSync(log);
  }
  const state = runningRegistry(data, settings);
  if (isObject(message) && message.ready === true && state) return { state, already: false };
  const error = errorFrom(message) ?? endedSilently(data);
  // A concurrent `lreg_start` was faster.
  if (error.code === 'ALREADY_RUNNING' && state) return alreadyAsWanted(state, request.listen);
  throw error;
}

function alreadyAsWanted(state: RegistryState, listen: readonly string[]): StartedRegistry {
  if (!listensOn(state, listen)) throw alreadyRunning(state);
  return { state, already: true };
}

interface ProcessSettings {
  readonly data: string;
  readonly log: number;
  readonly settings: World & TaskCall;
}

async function startProcess(
  { program, listen, names = [] }: StartRequest,
  { data, log, settings }: ProcessSettings,
): Promise<unknown> {
  const [command, ...first] = program;
  const args = [
    'serve',
    `--data=${data}`,
    `--ready-fd=${READY_DESCRIPTOR}`,
    ...listen.map((at) => `--listen=${at}`),
    ...names.map((name) => `--name=${name}`),
  ];
  const child = spawn(command, [...first, ...args], {
    cwd: '/',
    detached: true,
    env: settings.env,
    stdio: ['ignore', log, log, 'pipe'],
  });
  const stop = () => void child.kill();
  settings.signal?.addEventListener('abort', stop, { once: true });
  try {
    const said = await Promise.race([text(child.stdio[READY_DESCRIPTOR] as Readable), failedToStart(child)]);
    settings.signal?.throwIfAborted();
    return said === '' ? undefined : JSON.parse(said);
  } finally {
    settings.signal?.removeEventListener('abort', stop);
    child.unref();
  }
}

async function failedToStart(child: ChildProcess): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  child.once('error', reject);
  return promise;
}

/** Opens the log file for the new process. A log larger than MAX_LOG is emptied first. */
async function openLog(data: string): Promise<number> {
  const path = logPath(data);
  try {
    await makeDirectory(join(data, 'images'));
    const large = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG;
    return openSync(path, large ? 'w' : 'a', 0o644);
  } catch (error) {
    throw translateFsError(error, path);
  }
}

export function logPath(data: string): string {
  return join(data, 'images/registry.log');
}

function errorFrom(message: unknown): ImagesError | undefined {
  if (!isObject(message) || !isObject(message.error)) return undefined;
  const { code, message: what, hint } = message.error;
  return new ImagesError(code as ErrorCode, String(what), typeof hint === 'string' ? { hint } : {});
}

function endedSilently(data: string): ImagesError {
  const last = readFileSync(logPath(data), 'utf8').trimEnd().split('\n').at(-1) ?? '';
  return new ImagesError('SERVER_ERROR', `the embedded registry ended at once [${last}]`, {
    hint: `Its log: ${logPath(data)}`,
  });
}
