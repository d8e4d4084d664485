// Long work beside a registry that answers requests: it rests while the registry has something to do. A low priority alone is not enough: the kernel lets a
// process that runs go on for milliseconds, in which a registry answers several requests, and it compares only processes of one session (sched(7), autogroups).
import { readFileSync } from 'node:fs';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';

export interface GiveWayOptions {
  /** For how many milliseconds the registry has used a processor, since any time; `undefined` if nobody knows. */
  readonly usedMs: () => number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since any time. */
  readonly now?: () => number;
  readonly rest?: (ms: number) => Promise<void>;
}

/** In milliseconds: how long it works between two looks at the registry. */
const SLICE = 10;
/** A registry that uses more of a processor than this answers requests. */
const BUSY = 0.1;
/** How many times as long as it worked a collection rests beside requests, whoever runs it. */
export const REST_BESIDE_REQUESTS = 9;
/** In milliseconds. */
export const LONGEST_REST = 1000;

/** To be called after each small step. */
export function givingWay(options: GiveWayOptions): () => Promise<void> {
  const { usedMs, signal, now = () => performance.now() } = options;
  const rest = options.rest ?? ((ms) => delay(ms, undefined, { signal }).catch(() => signal?.throwIfAborted()));
  let [lookedAt, usedThen, workedFrom] = [now(), usedMs(), now()];
  return async () => {
    const time = now();
    const worked = time - workedFrom;
    if (worked < SLICE) return void (await setImmediate());
    const used = usedMs();
    const isBusy = used !== undefined && usedThen !== undefined && used - usedThen > (time - lookedAt) * BUSY;
    [lookedAt, usedThen] = [time, used];
    await (isBusy ? rest(Math.min(worked * REST_BESIDE_REQUESTS, LONGEST_REST)) : setImmediate());
    workedFrom = now();
  };
}

/** As `usedMs`, of the thread in which this process serves (Linux, Documentation/scheduler/sched-stats.rst). */
export function processorTimeOf(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}
