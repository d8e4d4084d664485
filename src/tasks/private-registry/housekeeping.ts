// What a running registry does by itself: it frees forgotten uploads within an hour, and collects garbage once a day, at a time when nobody asks for anything.
import { setTimeout as delay } from 'node:timers/promises';
import type { KeepRule } from '../../storage/collector/retention.ts';
import type { Collection } from '../../storage/collector/run.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { sweepForgotten } from '../../storage/repositories/expiry.ts';
import { lastCollected, mayCollectUnasked } from '../../storage/repositories/store-format.ts';
import { tryCollectorTurn } from './collect-garbage.ts';
import type { CollectionSchedule } from './registry-config.ts';

export interface Housekeeping {
  /** The rules of retention, as they are now: applied once somebody has seen what they do. */
  readonly keep?: readonly KeepRule[];
  readonly store: EmbeddedStore;
  readonly gc: CollectionSchedule;
  readonly activity: Activity;
  readonly onEvent?: OnHousekeeping;
  /** Times that differ from the usual ones, in milliseconds. */
  readonly times?: Partial<typeof TIMES>;
}

export interface Activity {
  /** How many requests are being answered right now. */
  readonly active: number;
  /** In milliseconds since 1970: when the last one ended. */
  readonly lastAt: number;
}

export type HousekeepingEvent =
  | { readonly type: 'collected'; readonly collection: Collection }
  /** Told once for the same failure, however often the work is tried again. */
  | { readonly type: 'housekeeping-failed'; readonly error: unknown };

export type OnHousekeeping = (event: HousekeepingEvent) => void;

const HOUR = 3600_000;

/** From one collection to the next. In milliseconds. */
export const COLLECT_EVERY_MS = 24 * HOUR;

const TIMES = {
  /** Between two looks at the clock. */
  look: 60_000,
  /** Between two sweeps of uploads. */
  sweep: 10 * 60_000,
  /** Without a request: then it is quiet. */
  quiet: 60_000,
  /** A collection does not wait longer than this for a quiet time. */
  patience: 6 * HOUR,
  /** After a failure; then twice as long each time, a day at most. */
  retry: HOUR,
};

/** Goes on until it is disposed, which waits for the step that is under way. */
export function keepHouse(housekeeping: Housekeeping): AsyncDisposable {
  const ending = new AbortController();
  const running = run(housekeeping, ending.signal);
  return {
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await running;
    },
  };
}

async function run(house: Housekeeping, signal: AbortSignal): Promise<void> {
  const times = { ...TIMES, ...house.times };
  const sweep = persistent(house, times.retry, () => sweepForgotten(house.store.blobs));
  const collect = persistent(house, times.retry, () => collectIfDue(house, times, signal));
  let sweptAt = Date.now();
  while (await passes(times.look, signal)) {
    if (Math.abs(Date.now() - sweptAt) >= times.sweep) {
      sweptAt = Date.now();
      await sweep(signal);
    }
    if (house.gc === 'daily') await collect(signal);
  }
}

/** Work that is tried again some time after it failed, more and more seldom; the same failure is told once. */
function persistent({ onEvent }: Housekeeping, retry: number, work: () => Promise<void>) {
  let failures = 0;
  let notBefore = 0;
  let told = '';
  return async (signal: AbortSignal): Promise<void> => {
    if (Date.now() < notBefore) return;
    try {
      await work();
      failures = 0;
      told = '';
    } catch (error) {
      if (signal.aborted) return;
      notBefore = Date.now() + Math.min(retry * 2 ** failures, COLLECT_EVERY_MS);
      failures += 1;
      if (told === String(error)) return;
      told = String(error);
      onEvent?.({ type: 'housekeeping-failed', error });
    }
  };
}

async function collectIfDue(house: Housekeeping, times: typeof TIMES, signal: AbortSignal): Promise<void> {
  const { store, activity, onEvent } = house;
  const overdue = await overdueFor(store);
  if (overdue === undefined || overdue < 0) return;
  const isQuiet = activity.active === 0 && Date.now() - activity.lastAt >= times.quiet;
  if (!isQuiet && overdue < times.patience) return;
  await using turn = await tryCollectorTurn(store.directory);
  if (!turn) return;
  const { collectStore } = await import('../../storage/collector/collect.ts');
  const retention = { rules: house.keep ?? [], unasked: true };
  const collection = await collectStore(store, { signal, retention, pause: pauses(activity, signal) });
  onEvent?.({ type: 'collected', collection });
}

/** Milliseconds since a collection has been due, negative before; `undefined` if the store is not collected unasked. */
async function overdueFor({ objects }: EmbeddedStore): Promise<number | undefined> {
  if (!(await mayCollectUnasked(objects))) return undefined;
  const last = await lastCollected(objects);
  // A clock that was set back must not put it off for ever.
  return last ? Math.abs(Date.now() - last.getTime()) - COLLECT_EVERY_MS : 0;
}

const LONGEST_PAUSE_MS = 1000;

/** After each step: as long as the step took, and nine times as long while requests are being answered. */
function pauses(activity: Activity, signal: AbortSignal): () => Promise<void> {
  let steppedAt = performance.now();
  return async () => {
    const took = performance.now() - steppedAt;
    const wait = Math.min(took * (activity.active > 0 ? 9 : 1), LONGEST_PAUSE_MS);
    await delay(Math.max(1, wait), undefined, { signal }).catch(() => signal.throwIfAborted());
    steppedAt = performance.now();
  };
}

/** Returns false if the signal ends the wait. */
async function passes(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal, ref: false });
    return true;
  } catch {
    return false;
  }
}
