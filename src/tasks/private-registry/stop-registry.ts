// `lreg_stop`: tells the running embedded registry to end, and waits for its end.

import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../../io/concurrency/process-identity.ts';
import { checkArguments, NUMBER } from '../../oci/arguments.ts';
import { SETTINGS } from '../arguments.ts';
import type { Settings } from '../settings.ts';
import type { RegistryState } from './registry-record.ts';
import { dataDirectory, runningRegistry } from './registry-state.ts';
import { signalRegistry } from './signal-registry.ts';

const POLL_MS = 20;
/** Longer than the server's grace period for pending requests. */
const PATIENCE_MS = 15_000;

/**
 * Returns the registry that was stopped, or `undefined` if none ran. One that does not end within `patience` milliseconds is killed. Errors: NO_ACCESS; the
 * signal's reason, which only ends the wait.
 */
export async function stopRegistry(
  settings: Settings,
  patience: number = PATIENCE_MS,
): Promise<RegistryState | undefined> {
  checkArguments({ settings: [settings, SETTINGS], patience: [patience, NUMBER] });
  const { signal } = settings;
  signal?.throwIfAborted();
  const state = runningRegistry(dataDirectory(settings), settings);
  if (!state) return undefined;
  signalRegistry(state, 'SIGTERM');
  for (let waited = 0; isAlive(state.identity); waited += POLL_MS) {
    if (waited >= patience) signalRegistry(state, 'SIGKILL');
    await delay(POLL_MS, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
  }
  return state;
}
