// What is remembered of checks: how far one came, so that the next goes on there, and what the last one found. Losing it costs one check.
import { parseJson } from '../../oci/decode.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { checkPositionKey, LAST_CHECK_KEY } from '../layout/store-keys.ts';
import type { Objects } from '../objects.ts';

/** A check that somebody asked for, and one by schedule, do not go on with each other's work. */
export type CheckOrigin = 'asked' | 'scheduled';

export interface CheckPosition {
  readonly since: Date;
  /** All blobs up to this one have been hashed. */
  readonly after: Digest;
  readonly blobs: number;
  /** In bytes. */
  readonly bytes: number;
}

export interface LastCheck {
  readonly by: CheckOrigin;
  readonly since: Date;
  readonly finished: Date;
  readonly blobs: number;
  /** In bytes. */
  readonly bytes: number;
  readonly findings: number;
  /** Images that were not whole. */
  readonly images: number;
}

/** How far the last check of this origin came; `undefined` if there is no such record, or if it is older than `oldest`. */
export async function readPosition(
  objects: Objects,
  origin: CheckOrigin,
  oldest: Date,
): Promise<CheckPosition | undefined> {
  const record = await read(objects, checkPositionKey(origin));
  const [since, after] = [dateOf(record?.since), record?.after];
  if (!since || since < oldest || !isDigest(after)) return undefined;
  return { since, after, blobs: countOf(record?.blobs), bytes: countOf(record?.bytes) };
}

/** Best effort: on a read-only store, nothing is recorded. */
export async function savePosition(objects: Objects, origin: CheckOrigin, position: CheckPosition): Promise<void> {
  await write(objects, checkPositionKey(origin), position);
}

export async function readLastCheck(objects: Objects): Promise<LastCheck | undefined> {
  const record = await read(objects, LAST_CHECK_KEY);
  const [since, finished] = [dateOf(record?.since), dateOf(record?.finished)];
  if (!since || !finished) return undefined;
  return {
    by: record?.by === 'scheduled' ? 'scheduled' : 'asked',
    since,
    finished,
    blobs: countOf(record?.blobs),
    bytes: countOf(record?.bytes),
    findings: countOf(record?.findings),
    images: countOf(record?.images),
  };
}

/** What is left after what the last check found was mended. */
export async function noteMended(objects: Objects, left: Pick<LastCheck, 'findings' | 'images'>): Promise<void> {
  const last = await readLastCheck(objects);
  if (last) await write(objects, LAST_CHECK_KEY, { ...last, ...left });
}

/** The next check begins anew. */
export async function saveLastCheck(objects: Objects, last: LastCheck): Promise<void> {
  await write(objects, LAST_CHECK_KEY, last);
  await unlessUnwritable(() => objects.delete([checkPositionKey(last.by)]));
}

async function read(objects: Objects, key: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const bytes = await objects.get(key);
  if (!bytes) return undefined;
  try {
    const value = parseJson(bytes, 'check');
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch (error) {
    if (isImagesError(error)) return undefined;
    throw error;
  }
}

async function write(objects: Objects, key: string, record: unknown): Promise<void> {
  await unlessUnwritable(() => objects.put(key, Buffer.from(JSON.stringify(record)), { volatile: true }));
}

async function unlessUnwritable(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) throw error;
  }
}

function dateOf(value: unknown): Date | undefined {
  const date = typeof value === 'string' ? new Date(value) : undefined;
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}

function countOf(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : 0;
}
