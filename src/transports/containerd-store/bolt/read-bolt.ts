// Reads a bbolt file whole. Nothing in it is believed: positions stay in their pages, every page is used once, and there are no more keys than room for them:
// elements of buckets within a page could share their bytes, and then a small file would hold more than any memory.
import { ImagesError } from '../../../oci/errors.ts';
import { printableName } from '../../../tar/names.ts';
import {
  BOLT_VERSION,
  type BoltBucket,
  type BoltEntry,
  BRANCH,
  BUCKET_HEADER,
  boltChecksum,
  ELEMENT,
  IS_BUCKET,
  LEAF,
  MAGIC,
  META,
  PAGE_HEADER,
} from './bolt-format.ts';

/** Deeper trees and buckets are taken for an attack: containerd has six levels. */
const MAX_DEPTH = 64;
const [LEAST_PAGE, MOST_PAGE] = [512, 1 << 16] as const;
/** Keys of a whole file: some hundred bytes of memory each. Ten thousand images have half a million. */
const MOST_KEYS = 4_000_000;

interface Meta {
  readonly pageSize: number;
  readonly root: number;
  readonly sequence: number;
  readonly pages: number;
  readonly transaction: number;
}

interface Reading {
  readonly bytes: Buffer;
  readonly meta: Meta;
  readonly seen: Set<number>;
  /** How many more elements the file has room for. */
  left: number;
}

/** `entries` are in the order of their keys. Keys and values are parts of `bytes`. Errors: TAR_INVALID, also if keys are not in order. */
export function readBolt(bytes: Uint8Array): BoltBucket {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const meta = [metaAt(buffer, 0), ...secondMetas(buffer)].reduce<Meta | undefined>(
    (best, one) => (one && one.transaction >= (best?.transaction ?? -1) ? one : best),
    undefined,
  );
  if (!meta) throw wrong('it has no valid meta page');
  if (meta.pages * meta.pageSize > buffer.length) throw wrong('it ends early');
  const left = Math.min(Math.floor(buffer.length / ELEMENT), MOST_KEYS);
  const reading: Reading = { bytes: buffer, meta, seen: new Set<number>(), left };
  return { sequence: meta.sequence, entries: pageEntries(reading, meta.root, 0) };
}

/** The second meta page begins where the first page ends; if the first is damaged, its size is not known. */
function secondMetas(bytes: Buffer): readonly (Meta | undefined)[] {
  const sizes: number[] = [];
  for (let size: number = LEAST_PAGE; size <= MOST_PAGE; size *= 2) sizes.push(size);
  return sizes.map((size) => {
    const meta = metaAt(bytes, size);
    return meta?.pageSize === size ? meta : undefined;
  });
}

function metaAt(bytes: Buffer, at: number): Meta | undefined {
  const meta = bytes.subarray(at + PAGE_HEADER, at + PAGE_HEADER + META);
  if (meta.length < META || meta.readUInt32LE() !== MAGIC || meta.readUInt32LE(4) !== BOLT_VERSION) return undefined;
  if (meta.readBigUInt64LE(META - 8) !== boltChecksum(meta.subarray(0, META - 8))) return undefined;
  const pageSize = meta.readUInt32LE(8);
  if (pageSize < LEAST_PAGE || pageSize > MOST_PAGE) return undefined;
  const [root, sequence, , pages, transaction] = [16, 24, 32, 40, 48].map((from) =>
    Number(meta.readBigUInt64LE(from)),
  ) as [number, number, number, number, number];
  return { pageSize, root, sequence, pages, transaction };
}

function pageEntries(reading: Reading, id: number, depth: number): readonly BoltEntry[] {
  const { bytes, meta, seen } = reading;
  if (depth > MAX_DEPTH) throw wrong('it is nested too deeply');
  if (id < 2 || id >= meta.pages) throw wrong(`there is no page ${id}`);
  const from = id * meta.pageSize;
  const more = bytes.readUInt32LE(from + 12);
  if (id + more >= meta.pages) throw wrong(`page ${id} is longer than the file`);
  for (let at = id; at <= id + more; at++) {
    if (seen.has(at)) throw wrong(`page ${at} is used twice`);
    seen.add(at);
  }
  const page = bytes.subarray(from, from + (more + 1) * meta.pageSize);
  if (page.readBigUInt64LE() !== BigInt(id)) throw wrong(`page ${id} says that it is another`);
  const flags = page.readUInt16LE(8);
  if (flags === LEAF) return leafEntries(reading, page, depth);
  if (flags !== BRANCH) throw wrong(`page ${id} is neither a leaf nor a branch`);
  const entries = elementsOf(reading, page).flatMap((at) => {
    const key = part(page, at + page.readUInt32LE(at), page.readUInt32LE(at + 4));
    const below = pageEntries(reading, Number(page.readBigUInt64LE(at + 8)), depth + 1);
    // bbolt searches by the branch's key.
    const first = below[0];
    if (first && Buffer.compare(first.key, key) < 0) throw wrong(`page ${id} has a key that its child contradicts`);
    return below;
  });
  return inOrder(entries);
}

function leafEntries(reading: Reading, page: Buffer, depth: number): readonly BoltEntry[] {
  const entries = elementsOf(reading, page).map((at): BoltEntry => {
    const [flags, position, keySize, size] = [0, 4, 8, 12].map((field) => page.readUInt32LE(at + field)) as [
      number,
      number,
      number,
      number,
    ];
    const key = part(page, at + position, keySize);
    const value = part(page, at + position + keySize, size);
    if (keySize === 0) throw wrong('a key is empty');
    return { key, value: (flags & IS_BUCKET) === 0 ? value : bucketOf(reading, value, depth) };
  });
  return inOrder(entries);
}

function bucketOf(reading: Reading, value: Buffer, depth: number): BoltBucket {
  if (value.length < BUCKET_HEADER) throw wrong('a bucket is too short');
  const root = Number(value.readBigUInt64LE());
  const sequence = Number(value.readBigUInt64LE(8));
  if (root !== 0) return { sequence, entries: pageEntries(reading, root, depth + 1) };
  const page = value.subarray(BUCKET_HEADER);
  if (page.length < PAGE_HEADER || page.readUInt16LE(8) !== LEAF) throw wrong('a bucket within a page is none');
  if (depth > MAX_DEPTH) throw wrong('it is nested too deeply');
  return { sequence, entries: leafEntries(reading, page, depth + 1) };
}

/** Where the elements of a page begin. */
function elementsOf(reading: Reading, page: Buffer): readonly number[] {
  const count = page.readUInt16LE(10);
  if (PAGE_HEADER + count * ELEMENT > page.length) throw wrong('a page has more elements than room');
  reading.left -= count;
  if (reading.left < 0) throw wrong('it has more keys than room for them');
  return Array.from({ length: count }, (_, at) => PAGE_HEADER + at * ELEMENT);
}

function part(page: Buffer, from: number, length: number): Buffer {
  if (from + length > page.length) throw wrong('a value leaves its page');
  return page.subarray(from, from + length);
}

function inOrder(entries: readonly BoltEntry[]): readonly BoltEntry[] {
  entries.forEach(({ key }, at) => {
    const before = entries[at - 1];
    if (before && Buffer.compare(before.key, key) >= 0)
      throw wrong(`its keys are not in order [${printableName(Buffer.from(key).toString('latin1'))}]`);
  });
  return entries;
}

function wrong(why: string): ImagesError {
  return new ImagesError('TAR_INVALID', `not a whole database of containerd: ${why}`, {
    hint: 'Make the archive again: it is damaged.',
  });
}
