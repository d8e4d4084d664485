// What a running registry does by itself: it frees forgotten uploads within an hour, collects garbage once a day, and checks all of its store once a week, at
// times when nobody asks for anything. It does one thing at a time: a check, which may take days, makes room for the others.
import { setTimeout as delay } from 'node:timers/promises';
import type { OnHousekeeping } from '../../observe/housekeeping.ts';
import type { KeepRule } from '../../storage/collector/retention.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { sweepForgotten } from '../../storage/repositories/expiry.ts';
import { lastCollected } from '../../storage/repositories/last-collection.ts';
import { mayCollectUnasked } from '../../storage/repositories/store-format.ts';
import { isCollecting, tryCollectorTurn } from './collect-garbage.ts';
import { LONGEST_REST, REST_BESIDE_REQUESTS } from './give-way.ts';
import type { ImageHosts } from './registry-clients.ts';
import type { CollectionSchedule, ScrubSchedule } from './registry-config.ts';
import { canBeScrubbed, newScrubber, SCRUB_EVERY_MS, scrubOverdueFor } from './scrub.ts';

export interface Housekeeping {
  /** The rules of retention, as they are now: applied once somebody has seen what they do. */
  readonly keep?: readonly KeepRule[];
  /** As `Retention.fetchedMs`. */
  readonly fetchedMs?: number | undefined;
  readonly store: EmbeddedStore;
  readonly gc: CollectionSchedule;
  readonly scrub: ScrubSchedule;
  readonly activity: Activity;
  /** The registries that images come from: what a check finds damaged is fetched there. Without it, checks only tell what they find. */
  readonly openHosts?: () => Promise<ImageHosts>;
  /** False if the directory was removed or unmounted: writing to it would make it anew, and hide its content when it comes back. */
  readonly isThere?: () => Promise<boolean>;
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
  /** Neither a collection nor a check waits longer than this for a quiet time. */
  patience: 6 * HOUR,
  /** After a failure; then twice as long each time, a day at most. */
  retry: HOUR,
  /** Between the two looks at what a check finds. */
  looks: 1000,
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
  const keeping: Keeping = { house, times: { ...TIMES, ...house.times }, signal, began: Date.now() };
  const { times } = keeping;
  const sweep = persistent(house, times.retry, () => sweepForgotten(house.store.blobs));
  const collect = persistent(house, times.retry, collectsWhenDue(keeping));
  let [sweptAt, lookedAt] = [Date.now(), 0];
  const chores = async () => {
    if (Math.abs(Date.now() - lookedAt) < times.look) return;
    if (Math.abs(Date.now() - sweptAt) >= times.sweep) {
      sweptAt = Date.now();
      await sweep(signal);
    }
    if (house.gc === 'daily') await collect(signal);
    lookedAt = Date.now();
  };
  const scrub = persistent(house, times.retry, scrubsWhenDue(keeping, chores));
  while (await passes(times.look, signal)) {
    if (house.isThere && !(await house.isThere().catch(() => false))) continue;
    lookedAt = 0;
    await chores();
    if (house.scrub === 'weekly') await scrub(signal);
  }
}

interface Keeping {
  readonly house: Housekeeping;
  readonly times: typeof TIMES;
  readonly signal: AbortSignal;
  /** In milliseconds since 1970: what was never done is due since then. */
  readonly began: number;
}

/** Work that is tried again some time after it failed, more and more seldom; the same failure is told once. */
function persistent({ onEvent }: Housekeeping, retry: number, work: () => Promise<void>) {
  let failures = 0;
  let failedAt = Number.NEGATIVE_INFINITY;
  let rest = 0;
  let told = '';
  return async (signal: AbortSignal): Promise<void> => {
    // A clock that was set back must not put it off for ever.
    if (Math.abs(Date.now() - failedAt) < rest) return;
    try {
      await work();
      failures = 0;
      told = '';
    } catch (error) {
      if (signal.aborted) return;
      failedAt = Date.now();
      rest = Math.min(retry * 2 ** failures, COLLECT_EVERY_MS);
      failures += 1;
      if (told === String(error)) return;
      told = String(error);
      onEvent?.({ type: 'housekeeping-failed', error });
    }
  };
}

/** Whether something that has been due for so long is to begin now. */
function isTimeFor(overdue: number, { house: { activity }, times }: Keeping): boolean {
  return overdue >= 0 && (isQuiet(activity, times.quiet) || overdue >= times.patience);
}

function isQuiet({ active, lastAt }: Activity, ms: number): boolean {
  return active === 0 && Date.now() - lastAt >= ms;
}

function collectsWhenDue(keeping: Keeping): () => Promise<void> {
  const { signal, began } = keeping;
  const { store, activity, onEvent } = keeping.house;
  // Of one that could not be recorded, because the disk is full.
  let collectedAt: number | undefined;
  return async () => {
    if (collectedAt !== undefined && Math.abs(Date.now() - collectedAt) < COLLECT_EVERY_MS) return;
    const overdue = await overdueFor(store, began);
    if (overdue === undefined || !isTimeFor(overdue, keeping)) return;
    await using turn = await tryCollectorTurn(store.directory);
    if (!turn) return;
    const { collectStore } = await import('../../storage/collector/collect.ts');
    const { keep = [], fetchedMs } = keeping.house;
    const retention = { rules: keep, unasked: true, ...(fetchedMs !== undefined && { fetchedMs }) };
    const startedAt = performance.now();
    const collection = await collectStore(store, { signal, retention, pause: pauses(activity, signal) });
    onEvent?.({ type: 'collected', collection, duration: performance.now() - startedAt });
    if (!collection.isMore && ((await overdueFor(store, began)) ?? 0) >= 0) collectedAt = Date.now();
  };
}

/** Milliseconds since a collection has been due, negative before; `undefined` if the store is not collected unasked. */
async function overdueFor({ objects }: EmbeddedStore, began: number): Promise<number | undefined> {
  if (!(await mayCollectUnasked(objects))) return undefined;
  const last = await lastCollected(objects);
  // A clock that was set back must not put it off for ever.
  return last ? Math.abs(Date.now() - last.getTime()) - COLLECT_EVERY_MS : Math.abs(Date.now() - began);
}

/** In milliseconds after a request: so long a check still makes room for the next ones. */
const BUSY_MS = 1000;

function scrubsWhenDue(keeping: Keeping, chores: () => Promise<void>): () => Promise<void> {
  const { house, times, signal, began } = keeping;
  const { store, activity, onEvent } = house;
  const scrub = newScrubber();
  // Of one that could not be recorded, because the disk was full at its end.
  let scrubbedAt: number | undefined;
  return async () => {
    if (scrubbedAt !== undefined && Math.abs(Date.now() - scrubbedAt) < SCRUB_EVERY_MS) return;
    const overdue = await scrubOverdueFor(store, began);
    if (!isTimeFor(overdue, keeping)) return;
    if ((await isCollecting(store.directory)) || !(await canBeScrubbed(store))) return;
    const isDone = await scrub({
      store,
      signal,
      betweenMs: times.looks,
      isOver: () => house.scrub === 'off',
      isBusy: () => !isQuiet(activity, BUSY_MS),
      ...(house.openHosts && { openHosts: house.openHosts }),
      between: async () => {
        await chores();
        while (await isCollecting(store.directory)) await delay(times.look, undefined, { signal });
      },
      onEvent: (event) => onEvent?.(event),
    });
    if (isDone && (await scrubOverdueFor(store, began)) >= 0) scrubbedAt = Date.now();
  };
}

/** After each step: as long as the step took, and longer while requests are being answered. */
function pauses(activity: Activity, signal: AbortSignal): () => Promise<void> {
  let steppedAt = performance.now();
  return async () => {
    const took = performance.now() - steppedAt;
    const wait = Math.min(took * (activity.active > 0 ? REST_BESIDE_REQUESTS : 1), LONGEST_REST);
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
