// containerd's two databases: meta.db (images, content, snapshots by namespace; containerd, metadata/buckets.go) and the overlay snapshotter's metadata.db
// (snapshots/storage/bolt.go). Pure.
import type { Digest } from '../../oci/digest.ts';
import type { BoltBucket, BoltEntry } from './bolt/bolt-format.ts';
import { writeBolt } from './bolt/write-bolt.ts';
import { goTime, uvarint, varint } from './encodings.ts';
import { NAMESPACE } from './store-places.ts';

export type Labels = Readonly<Record<string, string>>;

export interface SnapshotRecord {
  /** The name of its directory, from 1 on. */
  readonly id: number;
  readonly chain: Digest;
  readonly parent?: Digest;
  readonly inodes: number;
  /** In bytes, on a disk. */
  readonly size: number;
}

export interface BlobRecord {
  readonly digest: Digest;
  readonly size: number;
  readonly labels: Labels;
}

export interface ImageNameRecord {
  readonly name: string;
  readonly target: { readonly digest: Digest; readonly mediaType: string; readonly size: number };
  /** In milliseconds since 1970. */
  readonly created: number;
}

export interface ContainerdRecords {
  readonly names: readonly ImageNameRecord[];
  readonly blobs: readonly BlobRecord[];
  readonly snapshots: readonly SnapshotRecord[];
}

/** containerd 1.6 and 1.7 write this version; 2.x goes on from it when it starts. */
export const META_VERSION = 3;
/** A snapshot that does not change any more. */
export const COMMITTED = 3;
/** Of everything but images: equal stores are equal bytes. */
const CREATED = 1000;
/** Without the first, CRI does not know the image; with the second, kubelet does not remove it. */
const IMAGE_LABELS: Labels = { 'io.cri-containerd.image': 'managed', 'io.cri-containerd.pinned': 'pinned' };

export function metaDb({ names, blobs, snapshots }: ContainerdRecords): Uint8Array {
  const children = new Map<Digest, Digest[]>();
  for (const { chain, parent } of snapshots) {
    if (!parent) continue;
    const known = children.get(parent);
    if (known) known.push(chain);
    else children.set(parent, [chain]);
  }
  const images = bucket(names.map((one) => entry(one.name, imageBucket(one))));
  const content = bucket(blobs.map((one) => entry(one.digest, blobBucket(one))));
  const own = bucket(
    snapshots.map(({ id, chain, parent }) =>
      entry(
        chain,
        bucket([
          entry('name', snapshotName(id, chain)),
          ...(parent ? [entry('parent', parent)] : []),
          ...times(CREATED),
          // Without them a snapshot could be removed below another.
          ...(children.has(chain) ? [entry('children', textBucket(children.get(chain) ?? []))] : []),
        ]),
      ),
    ),
    highest(snapshots),
  );
  const namespace = bucket([
    entry('images', images),
    entry('content', bucket([entry('blob', content)])),
    entry('snapshots', bucket([entry('overlayfs', own)])),
  ]);
  return writeBolt(
    bucket([entry('v1', bucket([entry('version', varint(META_VERSION)), entry(NAMESPACE, namespace)]))]),
  );
}

export function snapshotsDb(snapshots: readonly SnapshotRecord[]): Uint8Array {
  const ids = new Map(snapshots.map(({ chain, id }) => [chain, id]));
  const nameOf = (chain: Digest) => snapshotName(ids.get(chain) ?? 0, chain);
  const all = snapshots.map(({ id, chain, parent, inodes, size }) =>
    entry(
      snapshotName(id, chain),
      bucket([
        entry('id', uvarint(id)),
        entry('kind', Uint8Array.of(COMMITTED)),
        ...(parent ? [entry('parent', nameOf(parent))] : []),
        entry('inodes', varint(inodes)),
        entry('size', varint(size)),
        ...times(CREATED),
      ]),
    ),
  );
  const parents = snapshots.flatMap(({ id, chain, parent }) =>
    parent ? [{ key: parentKey(ids.get(parent) ?? 0, id), value: Buffer.from(snapshotName(id, chain)) }] : [],
  );
  return writeBolt(
    bucket([
      entry('v1', bucket([entry('snapshots', bucket(all, highest(snapshots))), entry('parents', bucket(parents))])),
    ]),
  );
}

/** The name of a snapshot in metadata.db: containerd makes it of the namespace, a number and the chain id. */
export function snapshotName(id: number, chain: Digest): string {
  return `${NAMESPACE}/${id}/${chain}`;
}

/** The key under which a child of a snapshot is listed. */
export function parentKey(parent: number, id: number): Uint8Array {
  return Buffer.concat([uvarint(parent), Uint8Array.of(0), uvarint(id)]);
}

function imageBucket({ target, created }: ImageNameRecord): BoltBucket {
  const { digest, mediaType, size } = target;
  return bucket([
    ...times(created),
    entry('labels', labelsBucket(IMAGE_LABELS)),
    entry('target', bucket([entry('digest', digest), entry('mediatype', mediaType), entry('size', varint(size))])),
  ]);
}

function blobBucket({ size, labels }: BlobRecord): BoltBucket {
  const own = Object.keys(labels).length > 0 ? [entry('labels', labelsBucket(labels))] : [];
  return bucket([...times(CREATED), entry('size', varint(size)), ...own]);
}

function labelsBucket(labels: Labels): BoltBucket {
  return bucket(Object.entries(labels).map(([key, value]) => entry(key, value)));
}

function textBucket(keys: readonly string[]): BoltBucket {
  return bucket(keys.map((key) => entry(key, '')));
}

function times(time: number): readonly BoltEntry[] {
  return [entry('createdat', goTime(time)), entry('updatedat', goTime(time))];
}

/** The next snapshot gets the number after this one. */
function highest(snapshots: readonly SnapshotRecord[]): number {
  return snapshots.reduce((most, { id }) => Math.max(most, id), 0);
}

function bucket(entries: readonly BoltEntry[], sequence = 0): BoltBucket {
  return { sequence, entries };
}

function entry(key: string, value: string | Uint8Array | BoltBucket): BoltEntry {
  return { key: Buffer.from(key), value: typeof value === 'string' ? Buffer.from(value) : value };
}
