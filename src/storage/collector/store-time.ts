// How much time has passed for what goes by age. A clock may jump: a machine without a battery starts in another year, an administrator mistypes the date. Then all
// would look years old. So time counts only as far as the store has seen it pass: a long time in which nothing was recorded, pushed or collected is a leap, and
// does not count, whether the clock was wrong or the registry was off. Blobs without a name need none of this: who needs one is told that it is gone (blobs.ts).
import { isObject } from '../../oci/decode.ts';
import { isImagesError } from '../../oci/errors.ts';
import { CLOCK_KEY } from '../layout/store-keys.ts';
import { lastCollected } from '../repositories/last-collection.ts';
import { recordIn } from '../repositories/pull-records.ts';
import { spaceSamples } from '../repositories/space-samples.ts';
import type { Store } from '../store.ts';
import { type CollectionRun, STEP } from './run.ts';

/** Times in milliseconds since 1970. */
export interface Leap {
  readonly from: number;
  readonly to: number;
}

export interface StoreTime {
  /** In milliseconds. */
  ageOf(time: Date): number;
  /** A leap that nobody has recorded before. */
  readonly leap?: Leap;
}

interface ClockRecord {
  /** In milliseconds since 1970: the time of the last collection. */
  readonly seen: number;
  readonly leaps: readonly Leap[];
}

const DAY_MS = 24 * 3600 * 1000;
/** In milliseconds. A registry that runs records something each day, and who collects by hand does it once a month or more often. */
const LEAP_MS = 32 * DAY_MS;
/** Bounds the record: the first ones are forgotten. */
const MOST_LEAPS = 100;

export interface StoreTimeOptions extends Pick<CollectionRun, 'step'> {
  /** In milliseconds since 1970. */
  readonly now?: number;
  /** Whether the leap, and the time, are recorded. */
  readonly isRecorded: boolean;
}

export async function storeTime(store: Store, options: StoreTimeOptions): Promise<StoreTime> {
  const { now = Date.now(), isRecorded } = options;
  const before = clockIn(await store.objects.get(CLOCK_KEY));
  // After a clock that was wrong was set back, what was noted of it means nothing.
  const known = before?.leaps.filter(({ to }) => to <= now) ?? [];
  const found = await leapsSince(store, before?.seen, { ...options, now });
  const leaps = [...known, ...found].slice(-MOST_LEAPS);
  if (isRecorded) await record(store, { seen: now, leaps });
  const leap = found.at(-1);
  return { ageOf: (time) => ageSince(time.getTime(), now, leaps), ...(leap && { leap }) };
}

/** The latest time at which a collector has noted that it was there; `undefined` if none has. Costs two small reads. */
export async function lastNoted(objects: Store['objects']): Promise<Date | undefined> {
  const collected = (await lastCollected(objects))?.getTime() ?? Number.NEGATIVE_INFINITY;
  const latest = Math.max(collected, clockIn(await objects.get(CLOCK_KEY))?.seen ?? Number.NEGATIVE_INFINITY);
  return Number.isFinite(latest) ? new Date(latest) : undefined;
}

/** In milliseconds. */
export function ageSince(time: number, now: number, leaps: readonly Leap[]): number {
  const uncounted = leaps.map(({ from, to }) => Math.max(0, Math.min(to, now) - Math.max(from, time)));
  return now - time - uncounted.reduce((sum, ms) => sum + ms, 0);
}

/** `times` may be in any order. */
export function leapsBetween(times: readonly number[]): readonly Leap[] {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted.flatMap((to, at) => {
    const from = sorted[at - 1];
    return from !== undefined && to - from > LEAP_MS ? [{ from, to }] : [];
  });
}

/** Without `seen`, in a store that was never collected, only the time since the last sign of life is looked at. */
async function leapsSince(
  store: Store,
  seen: number | undefined,
  { now, step }: { readonly now: number; readonly step: () => Promise<void> },
): Promise<readonly Leap[]> {
  const noted = [(await lastCollected(store.objects))?.getTime() ?? Number.NaN];
  for await (const { at } of spaceSamples(store.objects)) noted.push(at.getTime());
  const leapsWith = (more: Iterable<number>) => {
    const signs = [...noted, ...more].filter((time) => time <= now && time > (seen ?? Number.NEGATIVE_INFINITY));
    const last = Math.max(...signs);
    const times = seen !== undefined ? [Math.min(seen, now), ...signs] : Number.isFinite(last) ? [last] : [];
    return leapsBetween([...times, now]);
  };
  const isSure = seen !== undefined || noted.some((time) => time <= now);
  if (isSure && leapsWith([]).length === 0) return [];
  return leapsWith(await daysOfUse(store, step));
}

/** The days on which blobs were last written or used. */
async function daysOfUse({ blobs }: Store, step: () => Promise<void>): Promise<ReadonlySet<number>> {
  const days = new Set<number>();
  let seen = 0;
  for await (const { used } of blobs.all()) {
    if (++seen % STEP === 0) await step();
    days.add(Math.floor(used.getTime() / DAY_MS) * DAY_MS);
  }
  return days;
}

/** What is recorded must survive a power cut: without it, all is old again. */
async function record({ objects }: Store, { seen, leaps }: ClockRecord): Promise<void> {
  const text = JSON.stringify({
    seen: new Date(seen).toISOString(),
    leaps: leaps.map(({ from, to }) => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString() })),
  });
  try {
    await objects.put(CLOCK_KEY, Buffer.from(text));
    await objects.sync([CLOCK_KEY]);
  } catch (error) {
    if (!isImagesError(error, 'READ_ONLY', 'NO_ACCESS', 'NO_SPACE')) throw error;
  }
}

function clockIn(bytes: Uint8Array | undefined): ClockRecord | undefined {
  const fields = bytes && recordIn(bytes, 'record of the time');
  const seen = timeIn(fields?.seen);
  if (!fields || Number.isNaN(seen)) return undefined;
  const listed = Array.isArray(fields.leaps) ? fields.leaps.filter(isObject) : [];
  const leaps = listed.map(({ from, to }) => ({ from: timeIn(from), to: timeIn(to) }));
  return { seen, leaps: leaps.filter(({ from, to }) => from < to) };
}

function timeIn(value: unknown): number {
  return typeof value === 'string' ? Date.parse(value) : Number.NaN;
}
