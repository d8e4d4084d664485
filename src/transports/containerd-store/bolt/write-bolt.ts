// Writes a bbolt file at once, from the leaves up: no free pages, no history. Equal buckets give equal bytes. Pure.
import {
  BOLT_VERSION,
  type BoltBucket,
  type BoltEntry,
  BRANCH,
  BUCKET_HEADER,
  boltChecksum,
  ELEMENT,
  FREELIST,
  IS_BUCKET,
  isBoltBucket,
  LEAF,
  MAGIC,
  META,
  META_PAGE,
  PAGE,
  PAGE_HEADER,
} from './bolt-format.ts';

/** A bucket without buckets in it is part of its parent's page up to this size, in bytes. */
const MAX_INLINE = PAGE / 4;
/** In bytes. Pages that are not quite full need not be split at the first change. */
const FULL = PAGE * 0.9;
const LEAST_KEYS = 2;

interface Element {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly flags: number;
}

interface Child {
  readonly key: Uint8Array;
  readonly page: number;
}

/** State: the pages so far. Lifetime: one file. */
interface Pages {
  readonly chunks: Buffer[];
  next: number;
}

/** The bytes of a file that bbolt opens for reading and writing. A key that is empty or there twice in its bucket is a mistake of the caller. */
export function writeBolt(root: BoltBucket): Uint8Array {
  // Two meta pages and the free list come first.
  const pages: Pages = { chunks: [], next: 3 };
  const rootPage = bucketPages(pages, elementsOf(pages, root));
  const free = Buffer.alloc(PAGE);
  pageHeader(free, { id: 2, flags: FREELIST, count: 0 });
  const meta = (id: number) => metaPage(id, { rootPage, sequence: root.sequence ?? 0, pages: pages.next });
  return Buffer.concat([meta(0), meta(1), free, ...pages.chunks]);
}

/** The elements of a bucket's leaves. The pages of buckets in it are written. */
function elementsOf(pages: Pages, { entries }: BoltBucket): readonly Element[] {
  const sorted = entries.toSorted((a, b) => Buffer.compare(a.key, b.key));
  return sorted.map(({ key, value }: BoltEntry, at): Element => {
    const before = sorted[at - 1];
    if (key.length === 0) throw new Error('an empty key for a database');
    if (before && Buffer.compare(before.key, key) === 0) throw new Error('a key for a database is there twice');
    if (!isBoltBucket(value)) return { key, value, flags: 0 };
    return { key, value: bucketValue(pages, value), flags: IS_BUCKET };
  });
}

/** Where a bucket is, or the bucket itself if it is small and has no bucket in it. */
function bucketValue(pages: Pages, bucket: BoltBucket): Uint8Array {
  const elements = elementsOf(pages, bucket);
  const isInline = sizeOf(elements) <= MAX_INLINE && elements.every(({ flags }) => flags !== IS_BUCKET);
  const header = Buffer.alloc(BUCKET_HEADER);
  header.writeBigUInt64LE(BigInt(isInline ? 0 : bucketPages(pages, elements)));
  header.writeBigUInt64LE(BigInt(bucket.sequence ?? 0), 8);
  return isInline ? Buffer.concat([header, leafPage(0, elements)]) : header;
}

/** Writes leaves, and branches above them until one page is left: the root of the bucket. */
function bucketPages(pages: Pages, elements: readonly Element[]): number {
  let level = groups(elements).map(
    (group): Child => ({
      key: group[0]?.key ?? new Uint8Array(),
      page: addPage(pages, (id) => leafPage(id, group)),
    }),
  );
  while (level.length > 1) {
    level = groups(level).map(
      (group): Child => ({
        key: (group[0] as Child).key,
        page: addPage(pages, (id) => branchPage(id, group)),
      }),
    );
  }
  return (level[0] as Child).page;
}

function addPage(pages: Pages, make: (id: number) => Buffer): number {
  const id = pages.next;
  const page = make(id);
  const count = Math.max(1, Math.ceil(page.length / PAGE));
  // The number of pages by which this one is longer.
  page.writeUInt32LE(count - 1, 12);
  pages.chunks.push(page, Buffer.alloc(count * PAGE - page.length));
  pages.next += count;
  return id;
}

/** Cuts a level into pages. There is at least one, and none has fewer than two keys if there are two. */
function groups<T extends { readonly key: Uint8Array; readonly value?: Uint8Array }>(
  all: readonly T[],
): readonly T[][] {
  const found: T[][] = [[]];
  let size: number = PAGE_HEADER;
  for (const [at, one] of all.entries()) {
    const length = ELEMENT + one.key.length + (one.value?.length ?? 0);
    const group = found.at(-1) as T[];
    if (group.length >= LEAST_KEYS && size + length > FULL && all.length - at >= LEAST_KEYS) {
      found.push([one]);
      size = PAGE_HEADER + length;
    } else {
      group.push(one);
      size += length;
    }
  }
  return found;
}

function sizeOf(elements: readonly Element[]): number {
  return elements.reduce((sum, { key, value }) => sum + ELEMENT + key.length + value.length, PAGE_HEADER);
}

function leafPage(id: number, elements: readonly Element[]): Buffer {
  const page = Buffer.alloc(sizeOf(elements));
  pageHeader(page, { id, flags: LEAF, count: elements.length });
  let to = PAGE_HEADER + ELEMENT * elements.length;
  for (const [at, { key, value, flags }] of elements.entries()) {
    const from = PAGE_HEADER + ELEMENT * at;
    page.writeUInt32LE(flags, from);
    page.writeUInt32LE(to - from, from + 4);
    page.writeUInt32LE(key.length, from + 8);
    page.writeUInt32LE(value.length, from + 12);
    page.set(key, to);
    page.set(value, to + key.length);
    to += key.length + value.length;
  }
  return page;
}

function branchPage(id: number, children: readonly Child[]): Buffer {
  const keys = children.reduce((sum, { key }) => sum + key.length, 0);
  const page = Buffer.alloc(PAGE_HEADER + ELEMENT * children.length + keys);
  pageHeader(page, { id, flags: BRANCH, count: children.length });
  let to = PAGE_HEADER + ELEMENT * children.length;
  for (const [at, { key, page: child }] of children.entries()) {
    const from = PAGE_HEADER + ELEMENT * at;
    page.writeUInt32LE(to - from, from);
    page.writeUInt32LE(key.length, from + 4);
    page.writeBigUInt64LE(BigInt(child), from + 8);
    page.set(key, to);
    to += key.length;
  }
  return page;
}

function pageHeader(
  page: Buffer,
  { id, flags, count }: { readonly id: number; readonly flags: number; readonly count: number },
): void {
  page.writeBigUInt64LE(BigInt(id));
  page.writeUInt16LE(flags, 8);
  page.writeUInt16LE(count, 10);
}

/** The transaction with the higher number counts; both name the same pages. */
function metaPage(
  id: number,
  { rootPage, sequence, pages }: { readonly rootPage: number; readonly sequence: number; readonly pages: number },
): Buffer {
  const page = Buffer.alloc(PAGE);
  pageHeader(page, { id, flags: META_PAGE, count: 0 });
  const meta = page.subarray(PAGE_HEADER, PAGE_HEADER + META);
  for (const [at, value] of [MAGIC, BOLT_VERSION, PAGE, 0].entries()) meta.writeUInt32LE(value, 4 * at);
  const numbers = [rootPage, sequence, 2, pages, id];
  for (const [at, value] of numbers.entries()) meta.writeBigUInt64LE(BigInt(value), 16 + 8 * at);
  meta.writeBigUInt64LE(boltChecksum(meta.subarray(0, META - 8)), META - 8);
  return page;
}
