// How often manifests were pulled, and when last. A pull is counted in memory and written with others later, so that no request waits for it; a crash loses
// what was not written yet, and nothing else. Records go with their manifests (manifest-history).
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { isObject, parseJson } from '../../oci/decode.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { HISTORY, parsePulledKey, pulledKey } from '../layout/image-keys.ts';
import type { Objects } from '../objects.ts';
import { linkedManifest } from './list-manifests.ts';
import type { Pull } from './telling-pulls.ts';

export interface Pulls {
  readonly byTag: number;
  readonly byDigest: number;
  readonly last: Date;
}

/** `undefined` if none are recorded. */
export async function pullsOf(objects: Objects, repository: string, digest: Digest): Promise<Pulls | undefined> {
  return decodePulls(await objects.get(pulledKey(repository, digest)));
}

export interface PullCounts {
  readonly count: (pull: Pull) => void;
  /** Writes what was counted. What cannot be written is kept for the next time; on a read-only store it is dropped. */
  flush(objects: Objects): Promise<void>;
}

const WRITES_AT_ONCE = 8;
/** How many manifests are counted at most: bounds the memory if nothing can be written. */
const MOST = 100_000;

/** Counts of pulls, still in memory. */
export function pullCounts(): PullCounts {
  /** By the key of the record: one entry for a manifest, however often it is pulled. */
  let pending = new Map<string, Pulls>();

  const add = (key: string, more: Pulls) => {
    const counted = pending.get(key);
    if (counted || pending.size < MOST) pending.set(key, counted ? sumOf(counted, more) : more);
  };

  return {
    count: ({ repository, digest, by }) =>
      add(pulledKey(repository, digest), {
        byTag: by === 'tag' ? 1 : 0,
        byDigest: by === 'digest' ? 1 : 0,
        last: new Date(),
      }),
    flush: async (objects) => {
      const counted = pending;
      pending = new Map();
      await createLimiter(WRITES_AT_ONCE).map(counted, async ([key, more]) => {
        try {
          await addTo(objects, key, more);
        } catch (error) {
          if (isImagesError(error, 'NO_SPACE')) add(key, more);
          else if (!isImagesError(error, 'READ_ONLY', 'NO_ACCESS')) throw error;
        }
      });
    },
  };
}

async function addTo(objects: Objects, key: string, more: Pulls): Promise<void> {
  if (!(await manifestOf(objects, key))) return;
  const before = decodePulls(await objects.get(key));
  await objects.put(key, encodePulls(before ? sumOf(before, more) : more));
}

/** Deletes the records of manifests that are gone, for example because another registry has deleted them. `step` is called after each. */
export async function forgetLostPulls(objects: Objects, step: () => Promise<void>): Promise<void> {
  for await (const { key } of objects.list(HISTORY)) {
    await step();
    if (parsePulledKey(key) && !(await manifestOf(objects, key))) await objects.delete([key]);
  }
}

async function manifestOf(objects: Objects, key: string): Promise<Digest | undefined> {
  const meant = parsePulledKey(key);
  return meant && (await linkedManifest(objects, meant.repository, meant.digest));
}

function sumOf(before: Pulls, more: Pulls): Pulls {
  return {
    byTag: before.byTag + more.byTag,
    byDigest: before.byDigest + more.byDigest,
    last: more.last > before.last ? more.last : before.last,
  };
}

function encodePulls({ byTag, byDigest, last }: Pulls): Uint8Array {
  return Buffer.from(JSON.stringify({ byTag, byDigest, last: last.toISOString() }));
}

/** `undefined` for a record that a power cut emptied or garbled. */
function decodePulls(bytes: Uint8Array | undefined): Pulls | undefined {
  const fields = bytes && bytes.length > 0 ? recordIn(bytes, 'record of pulls') : undefined;
  const last = new Date(typeof fields?.last === 'string' ? fields.last : Number.NaN);
  if (!fields || Number.isNaN(last.getTime())) return undefined;
  return { byTag: countIn(fields.byTag), byDigest: countIn(fields.byDigest), last };
}

function countIn(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** The fields of a record; `undefined` if it is garbled. */
export function recordIn(bytes: Uint8Array, what: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseJson(bytes, what);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (isImagesError(error)) return undefined;
    throw error;
  }
}
