// Reads containerd's two databases, also those that containerd itself has written. Pure.
import { isDigest } from '../../oci/digest.ts';
import { type BoltBucket, isBoltBucket } from './bolt/bolt-format.ts';
import { readBolt } from './bolt/read-bolt.ts';
import type { Labels } from './containerd-records.ts';
import { readUvarint, readVarint } from './encodings.ts';

export interface FoundName {
  readonly namespace: string;
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly labels: Labels;
}

export interface FoundBlob {
  readonly namespace: string;
  readonly digest: string;
  readonly size: number | undefined;
  readonly labels: Labels;
}

/** A snapshot in meta.db. */
export interface FoundSnapshot {
  readonly namespace: string;
  readonly chain: string;
  /** Its name in metadata.db. */
  readonly name: string;
  readonly parent: string | undefined;
  readonly children: readonly string[];
}

export interface MetaRecords {
  readonly version: number | undefined;
  readonly names: readonly FoundName[];
  readonly blobs: readonly FoundBlob[];
  readonly snapshots: readonly FoundSnapshot[];
}

/** A snapshot in metadata.db. */
export interface StoredSnapshot {
  readonly name: string;
  readonly id: number | undefined;
  readonly kind: number | undefined;
  readonly parent: string | undefined;
  readonly inodes: number;
  readonly size: number;
}

export interface SnapshotterRecords {
  readonly snapshots: readonly StoredSnapshot[];
  /** The highest number that was given. */
  readonly sequence: number;
  /** The keys of `parents` in hexadecimal digits, with the names. */
  readonly parents: ReadonlyMap<string, string>;
}

type Fields = ReadonlyMap<string, Uint8Array | BoltBucket>;

/** Errors: TAR_INVALID. */
export function readMetaDb(bytes: Uint8Array): MetaRecords {
  const v1 = bucketIn(fieldsOf(readBolt(bytes)), 'v1');
  const names: FoundName[] = [];
  const blobs: FoundBlob[] = [];
  const snapshots: FoundSnapshot[] = [];
  for (const [namespace, value] of v1) {
    if (!isBoltBucket(value)) continue;
    const own = fieldsOf(value);
    for (const [name, image] of buckets(bucketIn(own, 'images'))) {
      const target = bucketIn(image, 'target');
      const [digest, mediaType] = [textIn(target, 'digest') ?? '', textIn(target, 'mediatype') ?? ''];
      names.push({ namespace, name, digest, mediaType, labels: labelsIn(image) });
    }
    for (const [digest, blob] of buckets(bucketIn(bucketIn(own, 'content'), 'blob'))) {
      const size = readVarint(bytesIn(blob, 'size') ?? new Uint8Array());
      blobs.push({ namespace, digest, size, labels: labelsIn(blob) });
    }
    for (const [chain, one] of buckets(bucketIn(bucketIn(own, 'snapshots'), 'overlayfs'))) {
      const children = [...bucketIn(one, 'children').keys()];
      snapshots.push({ namespace, chain, name: textIn(one, 'name') ?? '', parent: textIn(one, 'parent'), children });
    }
  }
  return { version: readVarint(bytesIn(v1, 'version') ?? new Uint8Array()), names, blobs, snapshots };
}

/** Errors: TAR_INVALID. */
export function readSnapshotsDb(bytes: Uint8Array): SnapshotterRecords {
  const v1 = bucketIn(fieldsOf(readBolt(bytes)), 'v1');
  const all = v1.get('snapshots');
  const own = all && isBoltBucket(all) ? all : { entries: [] };
  const snapshots = [...buckets(fieldsOf(own))].map(([name, one]): StoredSnapshot => {
    const number = (key: string) => readVarint(bytesIn(one, key) ?? new Uint8Array()) ?? 0;
    const id = readUvarint(bytesIn(one, 'id') ?? new Uint8Array());
    const kind = bytesIn(one, 'kind')?.[0];
    return { name, id, kind, parent: textIn(one, 'parent'), inodes: number('inodes'), size: number('size') };
  });
  const parents = v1.get('parents');
  const pairs = parents && isBoltBucket(parents) ? parents.entries : [];
  return {
    snapshots,
    sequence: own.sequence ?? 0,
    parents: new Map(
      pairs.map(({ key, value }) => [
        Buffer.from(key).toString('hex'),
        isBoltBucket(value) ? '' : Buffer.from(value).toString(),
      ]),
    ),
  };
}

/** Names that people use: without those that CRI has beside them, unless there is no other. */
export function namesForPeople(names: readonly string[]): readonly string[] {
  const own = names.filter((name) => !isDigest(name));
  const tagged = own.filter((name) => !name.includes('@'));
  return (tagged.length > 0 ? tagged : own).toSorted();
}

function fieldsOf(bucket: BoltBucket): Fields {
  return new Map(bucket.entries.map(({ key, value }) => [Buffer.from(key).toString(), value]));
}

function bucketIn(fields: Fields, key: string): Fields {
  const value = fields.get(key);
  return value && isBoltBucket(value) ? fieldsOf(value) : new Map();
}

function* buckets(fields: Fields): Generator<readonly [string, Fields]> {
  for (const [key, value] of fields) if (isBoltBucket(value)) yield [key, fieldsOf(value)];
}

function bytesIn(fields: Fields, key: string): Uint8Array | undefined {
  const value = fields.get(key);
  return value && !isBoltBucket(value) ? value : undefined;
}

function textIn(fields: Fields, key: string): string | undefined {
  const value = bytesIn(fields, key);
  return value && Buffer.from(value).toString();
}

function labelsIn(fields: Fields): Labels {
  const labels = bucketIn(fields, 'labels');
  return Object.fromEntries([...labels.keys()].map((key) => [key, textIn(labels, key) ?? '']));
}
