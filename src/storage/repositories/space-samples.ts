// The space that a store used, once a day: so that people see how it grows. Days are those of UTC.
import { isImagesError } from '../../oci/errors.ts';
import type { Blobs } from '../blobs.ts';
import { SPACE } from '../layout/store-keys.ts';
import type { Objects } from '../objects.ts';
import type { Store } from '../store.ts';
import { recordIn } from './pull-records.ts';

export interface SpaceSample {
  readonly at: Date;
  /** The number of blobs, manifests among them. */
  readonly blobs: number;
  /** In bytes: the sizes of these blobs. */
  readonly bytes: number;
  /** In bytes: uploads that have not ended. */
  readonly unfinished: number;
}

const DAYS_KEPT = 400;
const DAY_MS = 24 * 3600 * 1000;

/** The oldest first. */
export async function* spaceSamples(objects: Objects): AsyncGenerator<SpaceSample> {
  for (const day of await daysOf(objects)) {
    const sample = decodeSample(await objects.get(`${SPACE}${day}`));
    if (sample) yield sample;
  }
}

/** The latest one; `undefined` if there is none. Costs one list of names and one small read. */
export async function lastSample(objects: Objects): Promise<SpaceSample | undefined> {
  const day = (await daysOf(objects)).at(-1);
  return day === undefined ? undefined : decodeSample(await objects.get(`${SPACE}${day}`));
}

/** Whether there is a sample of this day. */
export async function isSampled(objects: Objects, now: Date): Promise<boolean> {
  return decodeSample(await objects.get(keyOf(now))) !== undefined;
}

/**
 * Takes the sample of today, and removes those that are too old. `step` is called now and then: it may wait, so that others are not disturbed. Writes
 * nothing where there is no blob: a directory that was unmounted must not come into being again.
 */
export async function takeSample(
  { objects, blobs }: Store,
  { now = new Date(), step }: { readonly now?: Date; readonly step: () => Promise<void> },
): Promise<SpaceSample | undefined> {
  let count = 0;
  let bytes = 0;
  for await (const { size } of blobs.all()) {
    if (++count % STEP_BLOBS === 0) await step();
    bytes += size;
  }
  if (count === 0) return undefined;
  const sample = { at: now, blobs: count, bytes, unfinished: (await unfinishedBytes(blobs)) ?? 0 };
  await objects.put(keyOf(now), Buffer.from(JSON.stringify(sample)));
  const first = dayOf(new Date(now.getTime() - DAYS_KEPT * DAY_MS));
  const old = (await daysOf(objects)).filter((day) => day <= first);
  await objects.delete(old.map((day) => `${SPACE}${day}`));
  return sample;
}

const STEP_BLOBS = 100;

/** In bytes: what unfinished uploads hold; `undefined` if that cannot be read. */
export async function unfinishedBytes(blobs: Pick<Blobs, 'sweep'>): Promise<number | undefined> {
  try {
    // Nothing is older than 1970, so nothing is removed: this only counts.
    return await blobs.sweep({ before: new Date(0) });
  } catch (error) {
    if (isImagesError(error, 'READ_ONLY', 'NO_ACCESS')) return undefined;
    throw error;
  }
}

/** The days of all samples, in their order. */
async function daysOf(objects: Objects): Promise<readonly string[]> {
  return (await objects.children(SPACE)).filter((name) => /^\d{4}-\d\d-\d\d$/.test(name));
}

function keyOf(now: Date): string {
  return `${SPACE}${dayOf(now)}`;
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function decodeSample(bytes: Uint8Array | undefined): SpaceSample | undefined {
  const fields = bytes && bytes.length > 0 ? recordIn(bytes, 'sample of space') : undefined;
  const { at, blobs, bytes: used, unfinished } = fields ?? {};
  const date = new Date(typeof at === 'string' ? at : Number.NaN);
  if (Number.isNaN(date.getTime()) || !isCount(blobs) || !isCount(used) || !isCount(unfinished)) return undefined;
  return { at: date, blobs, bytes: used, unfinished };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
