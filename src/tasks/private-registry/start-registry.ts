// `lreg_start`: starts the embedded registry as a separate process, which outlives this one. It reports through a pipe that it is ready, or the error.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { isFsError, translateFsError } from '../../io/files/fs-errors.ts';
import { quote } from '../../io/text/quote.ts';
import { checkArguments, objectWith } from '../../oci/arguments.ts';
import { isObject } from '../../oci/decode.ts';
import { type ErrorCode, ImagesError } from '../../oci/errors.ts';
import { SETTINGS, TEXTS } from '../arguments.ts';
import type { Settings, TaskCall, World } from '../settings.ts';
import { alreadyRunning } from './already-running.ts';
import { discardEmptyStore, storeIsBegun } from './empty-store.ts';
import { listensOn } from './listen-addresses.ts';
import { withNamedData } from './named-config.ts';
import { ownProgram } from './own-program.ts';
import { readRegistryToml } from './registry-config.ts';
import { type Log, openLog, removeLog, saidSince } from './registry-log.ts';
import type { RegistryState } from './registry-record.ts';
import { dataDirectory, runningRegistry } from './registry-state.ts';
import { checkServingOptions, servedOptions } from './served-options.ts';
import { type ServingOptions, servingArguments } from './serving-options.ts';
import { startedWith } from './started-with.ts';
import { addressForVms } from './vm-address.ts';

export interface StartRequest extends ServingOptions {
  readonly listen: readonly string[];
  /**
   * The command that starts the program `images`: it is called with `serve` and options. Without it: the program of this package. It needs Node on the PATH of
   * the settings' environment. It is not `process.argv` of the caller, who may be another program.
   */
  readonly program?: readonly [string, ...string[]];
}

export interface StartedRegistry {
  readonly state: RegistryState;
  /** It was running before, with the requested addresses. */
  readonly already: boolean;
  /** Where VMs reach it; absent if only this machine can. */
  readonly vms?: { readonly ip: string; readonly port: number };
  /** One line: what others may do without logging in. Absent if nothing, if nobody else reaches it, or if it was running before. */
  readonly open?: string;
}

/** The file descriptor of the pipe in the new process. */
export const READY_DESCRIPTOR = 3;

/** What the new process writes into the pipe before it closes it: one line of JSON. */
export type ReadyMessage =
  | { readonly ready: true; readonly open?: string }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string } };

/**
 * Starts the embedded registry as a process of its own, which outlives this one, and resolves when it is ready. If it cannot be started, or the signal ends the
 * wait, neither a process nor a new store is left behind. Errors: ALREADY_RUNNING (with other addresses, or other options of access and TLS), those of serveRegistry, SERVER_ERROR (it ended without
 * a message), CONFIG_INVALID (no `program` was named, and the package's own is not installed), FILE_UNREADABLE (there is no such program), NO_ACCESS.
 */
export async function startRegistry(request: StartRequest, settings: Settings): Promise<StartedRegistry> {
  checkArguments({ request: [request, objectWith({ listen: TEXTS })], settings: [settings, SETTINGS] });
  const started = await runningOrStarted(request, settings);
  const vms = await addressForVms(started.state.addresses, settings);
  return { ...started, ...(vms && { vms }) };
}

async function runningOrStarted(request: StartRequest, given: Settings): Promise<StartedRegistry> {
  given.signal?.throwIfAborted();
  // Validates here, so that invalid input is reported before a process is started.
  checkServingOptions(request);
  const settings = await withNamedData(given);
  const data = dataDirectory(settings);
  const before = runningRegistry(data, settings);
  if (before) return alreadyAsWanted(before, request, settings);
  servedOptions(request, await readRegistryToml(data, settings.config));
  const isNew = !storeIsBegun(data);
  try {
    return await startAndAsk(request, data, settings);
  } catch (error) {
    if (isNew && !runningRegistry(data, settings)) {
      removeLog(data);
      discardEmptyStore(data);
    }
    throw error;
  }
}

async function startAndAsk(request: StartRequest, data: string, settings: World & TaskCall): Promise<StartedRegistry> {
  const { program = ownProgram() } = request;
  const log = await openLog(data);
  let message: unknown;
  try {
    message = await startProcess({ ...request, program }, { data, log: log.file, settings });
  } finally {
    closeSync(log.file);
  }
  const state = runningRegistry(data, settings);
  if (isObject(message) && message.ready === true && state) {
    return { state, already: false, ...(typeof message.open === 'string' && { open: message.open }) };
  }
  const error = errorFrom(message) ?? endedSilently(log);
  // A concurrent `lreg_start` was faster.
  if (error.code === 'ALREADY_RUNNING' && state) return alreadyAsWanted(state, request, settings);
  throw error;
}

/** Who says no option takes what is there. Otherwise it must be what was said: it would look as if users had to log in, and nobody had. */
function alreadyAsWanted(
  state: RegistryState,
  request: StartRequest,
  { config }: Pick<World, 'config'>,
): StartedRegistry {
  if (!listensOn(state, request.listen)) throw alreadyRunning(state);
  const wanted = startedWith(request);
  const isOther = wanted !== undefined && wanted !== state.startedWith;
  if (isOther || (config !== undefined && resolve(config) !== state.config))
    throw alreadyRunning(state, ', with other options');
  return { state, already: true };
}

interface ProcessSettings {
  readonly data: string;
  readonly log: number;
  readonly settings: World & TaskCall;
}

async function startProcess(
  { program, ...options }: StartRequest & Required<Pick<StartRequest, 'program'>>,
  { data, log, settings }: ProcessSettings,
): Promise<unknown> {
  const [command, ...first] = program;
  const args = [
    'serve',
    `--data=${data}`,
    `--ready-fd=${READY_DESCRIPTOR}`,
    ...(settings.config === undefined ? [] : [`--config=${settings.config}`]),
    ...servingArguments(options),
  ];
  settings.signal?.throwIfAborted();
  const child = spawn(command, [...first, ...args], {
    cwd: '/',
    detached: true,
    env: settings.env,
    stdio: ['ignore', log, log, 'pipe'],
  });
  const stop = () => void child.kill();
  settings.signal?.addEventListener('abort', stop, { once: true });
  try {
    const said = await Promise.race([text(child.stdio[READY_DESCRIPTOR] as Readable), failedToStart(child, command)]);
    settings.signal?.throwIfAborted();
    return said === '' ? undefined : JSON.parse(said);
  } finally {
    settings.signal?.removeEventListener('abort', stop);
    child.unref();
  }
}

async function failedToStart(child: ChildProcess, command: string): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  child.once('error', (error) =>
    reject(isFsError(error, 'ENOENT') ? noProgram(command) : translateFsError(error, command)),
  );
  return promise;
}

function noProgram(command: string): ImagesError {
  return new ImagesError('FILE_UNREADABLE', `there is no such program [${command}]`, {
    hint: 'Name the command that starts `images`: the option `program`.',
  });
}

function errorFrom(message: unknown): ImagesError | undefined {
  if (!isObject(message) || !isObject(message.error)) return undefined;
  const { code, message: what, hint } = message.error;
  return new ImagesError(code as ErrorCode, String(what), typeof hint === 'string' ? { hint } : {});
}

function endedSilently(log: Log): ImagesError {
  const last = quote(saidSince(log).trimEnd().split('\n').at(-1) ?? '');
  return new ImagesError('SERVER_ERROR', `the embedded registry ended at once [${last || 'it said nothing'}]`, {
    hint: `Its log: ${log.path}`,
  });
}
