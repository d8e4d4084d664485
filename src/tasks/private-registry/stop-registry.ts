// `lreg_stop`: tells the running embedded registry to end, and waits for its end.

import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../../io/concurrency/process-identity.ts';
import { checkArguments, NUMBER, OBJECT, orAbsent } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { SETTINGS } from '../arguments.ts';
import type { Settings } from '../settings.ts';
import type { RegistryState } from './registry-record.ts';
import { dataDirectory, runningRegistry } from './registry-state.ts';
import { signalRegistry } from './signal-registry.ts';

const POLL_MS = 20;
/** Longer than the server's grace period for pending requests. */
const PATIENCE_MS = 15_000;

export interface StopRequest {
  /** In milliseconds: how long requests that are under way may take; then they are ended. Default: what the registry was started with, else half a second. */
  readonly drainMs?: number;
  /** In milliseconds: when it should have ended after that. One that has not is killed. */
  readonly patience?: number;
}

/**
 * Returns the registry that was stopped, or `undefined` if none ran. Errors: NO_ACCESS; UNSUPPORTED (an earlier version cannot wait for requests); the signal's
 * reason, which only ends the wait.
 */
export async function stopRegistry(settings: Settings, request: StopRequest = {}): Promise<RegistryState | undefined> {
  checkArguments({ settings: [settings, SETTINGS], request: [request, OBJECT] });
  const { drainMs, patience = PATIENCE_MS } = request;
  checkArguments({ drainMs: [drainMs, orAbsent(NUMBER)], patience: [patience, NUMBER] });
  settings.signal?.throwIfAborted();
  const state = runningRegistry(dataDirectory(settings), settings);
  if (!state) return undefined;
  if (drainMs === undefined) {
    signalRegistry(state, 'SIGTERM');
  } else {
    if (state.drain === undefined) throw tooOld(state);
    signalRegistry(state, 'SIGQUIT');
    // What is under way then is ended within half a second.
    if (!(await hasEnded(state, drainMs, settings))) signalRegistry(state, 'SIGTERM');
  }
  const wait = drainMs === undefined ? (state.drain ?? 0) + patience : patience;
  if (await hasEnded(state, wait, settings)) return state;
  signalRegistry(state, 'SIGKILL');
  await hasEnded(state, Number.POSITIVE_INFINITY, settings);
  return state;
}

/** Waits for so many milliseconds. */
async function hasEnded({ identity }: RegistryState, ms: number, { signal }: Settings): Promise<boolean> {
  for (let waited = 0; isAlive(identity); waited += POLL_MS) {
    if (waited >= ms) return false;
    await delay(POLL_MS, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
  }
  return true;
}

function tooOld({ version }: RegistryState): ImagesError {
  return new ImagesError('UNSUPPORTED', `the registry that runs cannot wait for requests [version ${version}]`, {
    hint: 'Stop it without --drain.',
  });
}
