// The file format of bbolt (go.etcd.io/bbolt: page.go, bucket.go, db.go), which containerd keeps its records in: a tree of buckets in pages, little endian. Pure.

/** A bucket: keys in any order, each with bytes or another bucket. */
export interface BoltBucket {
  /** The last number that `NextSequence` gave. */
  readonly sequence?: number;
  readonly entries: readonly BoltEntry[];
}

export interface BoltEntry {
  /** Not empty. */
  readonly key: Uint8Array;
  readonly value: Uint8Array | BoltBucket;
}

export const MAGIC = 0xed0cdaed;
export const BOLT_VERSION = 2;
/** In bytes: of a page that is written. The size of pages that are read is in the meta page. */
export const PAGE = 4096;
export const [PAGE_HEADER, META, BUCKET_HEADER]: readonly [number, number, number] = [16, 64, 16];
/** Both kinds of elements in a page have this length. */
export const ELEMENT: number = 16;
/** Flags of a page. */
export const [BRANCH, LEAF, META_PAGE, FREELIST] = [1, 2, 4, 0x10] as const;
/** The flag of a leaf's element whose value is a bucket. */
export const IS_BUCKET = 1;

const [FNV_OFFSET, FNV_PRIME, MASK] = [0xcbf29ce484222325n, 0x100000001b3n, 0xffffffffffffffffn] as const;

/** The checksum of a meta page: FNV-1a with 64 bits. */
export function boltChecksum(bytes: Uint8Array): bigint {
  let sum: bigint = FNV_OFFSET;
  for (const byte of bytes) sum = ((sum ^ BigInt(byte)) * FNV_PRIME) & MASK;
  return sum;
}

export function isBoltBucket(value: BoltEntry['value']): value is BoltBucket {
  return !(value instanceof Uint8Array);
}
