// `lreg_reload`: tells the running embedded registry to read its configuration again, and waits for what it says.
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../../io/concurrency/process-identity.ts';
import { checkArguments, NUMBER } from '../../oci/arguments.ts';
import { type ErrorCode, ImagesError } from '../../oci/errors.ts';
import { SETTINGS } from '../arguments.ts';
import type { Settings } from '../settings.ts';
import type { RegistryState } from './registry-record.ts';
import { dataDirectory, runningRegistry } from './registry-state.ts';
import { type Reloaded, readServingRecord } from './serving-record.ts';
import { signalRegistry } from './signal-registry.ts';

const POLL_MS = 20;
/** A file that is written to all the time is waited for, for some seconds. */
const PATIENCE_MS = 30_000;

/**
 * Requests that are under way go on. What was wrong is the error, and nothing has changed then: CONFIG_INVALID, FILE_UNREADABLE, others of the configuration. Errors
 * besides: NO_REGISTRY (none runs), UNSUPPORTED (an earlier version runs), NO_ACCESS (it is another user's), SERVER_ERROR (it has ended, or does not answer within
 * `patience` milliseconds).
 */
export async function reloadRegistry(settings: Settings, patience: number = PATIENCE_MS): Promise<Reloaded> {
  checkArguments({ settings: [settings, SETTINGS], patience: [patience, NUMBER] });
  const { signal } = settings;
  signal?.throwIfAborted();
  const data = dataDirectory(settings);
  const state = runningRegistry(data, settings);
  if (!state) {
    throw new ImagesError('NO_REGISTRY', `the embedded registry is not running [${data}]`, {
      hint: '`images lreg_start` starts it, with its configuration as it is then.',
    });
  }
  if (!state.reloads) {
    throw new ImagesError('UNSUPPORTED', `the registry that runs is too old to be told [version ${state.version}]`, {
      hint: 'Start it again: `images lreg_stop`, then `images lreg_start`.',
    });
  }
  const asked = process.hrtime.bigint();
  signalRegistry(state, 'SIGHUP');
  for (let waited = 0; waited < patience; waited += POLL_MS) {
    const answer = answerSince(state, asked);
    if (answer) return answer;
    if (!isAlive(state.identity)) break;
    await delay(POLL_MS, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
  }
  const what = isAlive(state.identity) ? 'the registry does not answer' : 'the registry has ended';
  throw new ImagesError('SERVER_ERROR', `${what} [pid ${state.pid}]`, { hint: 'Its log says why.' });
}

/** Of a reload that began after it was asked for. */
function answerSince(state: RegistryState, asked: bigint): Reloaded | undefined {
  const record = readServingRecord(state);
  const { begun, done, failed } = record?.reload ?? {};
  if (!record || begun === undefined || BigInt(begun) < asked) return undefined;
  if (failed) {
    const { code, message, hint } = failed;
    throw new ImagesError(code as ErrorCode, message, hint === undefined ? {} : { hint });
  }
  return done && { file: record.file, ...done };
}
