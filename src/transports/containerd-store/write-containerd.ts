// Writes images as the archive of containerd's root directory: content, snapshots of the overlay snapshotter, and both databases. One pass, in an order that
// depends only on the images. What needs privileges is only stated in headers.
import type { RewindableOutput } from '../../io/files/rewindable-output.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { type Digest, digestHex } from '../../oci/digest.ts';
import type { Layer } from '../../rootfs/contract.ts';
import type { LayerDirectory } from '../../rootfs/layer-names.ts';
import { endOfArchive, padding } from '../../tar/writer.ts';
import type { ImageToStore } from '../containers-storage/merged-images.ts';
import type { WrittenStore } from '../containers-storage/write-store.ts';
import { directoryEntry, fileEntry, fileHeader, symlinkEntry } from '../store-entries.ts';
import { inImage } from '../write-form.ts';
import { smallContent } from './containerd-content.ts';
import { type ContainerdImage, containerdImages } from './containerd-images.ts';
import { metaDb, type SnapshotRecord, snapshotsDb } from './containerd-records.ts';
import {
  blobPlace,
  containerdDirectories,
  META_DB,
  OWN_PART,
  SHARED_AT,
  SNAPSHOTS_DB,
  sharedBlob,
  sharedSnapshot,
  snapshotPlace,
} from './store-places.ts';
import { BLOB_MODE, readSnapshot, type SnapshotAhead, type WrittenSnapshot, writeSnapshot } from './write-snapshot.ts';

export interface WriteContainerdOptions extends CallOptions {
  /** containerd's root directory in the archive, without leading slash. */
  readonly root: string;
  /** Whether the blobs of layers are written, beside their snapshots. */
  readonly withLayers: boolean;
  /** Writes the tree that all VMs share: snapshots and blobs of layers, and an archive of what each VM has of its own. */
  readonly shared?: boolean;
  /** Snapshots in an existing archive that this program has written. */
  readonly stored?: StoredSnapshots;
  /** The directory for data that does not fit into memory. */
  readonly temporaryDirectory: string;
  /** Called when a layer is in the archive. */
  readonly onLayer?: (digest: Digest) => void;
}

export interface StoredSnapshots {
  /** Whether the snapshot can be copied, and the blob of the layer (if one is asked for). */
  has(chain: Digest, blob: Digest | undefined): boolean;
  /** Writes the snapshot's directory under another name, and the blob. */
  copy(
    chain: Digest,
    to: { readonly directory: string; readonly blob?: { readonly digest: Digest; readonly at: string } },
    output: RewindableOutput,
  ): Promise<Pick<WrittenSnapshot, 'names' | 'inodes' | 'bytes'>>;
}

interface NextSnapshot {
  readonly id: number;
  readonly chain: Digest;
  readonly parent?: Digest;
  readonly layer: Layer;
  readonly below: readonly Layer[];
  /** The chain ids of the layers below, the uppermost first. */
  readonly lower: readonly Digest[];
  /** The name of the image, for messages. */
  readonly image: string;
  readonly writesBlob: boolean;
}

/** Finishes the output. Errors: UNSUPPORTED (too many layers, no file system), MANIFEST_INVALID, those of `writeSnapshot`. */
export async function writeContainerd(
  images: readonly ImageToStore[],
  output: RewindableOutput,
  options: WriteContainerdOptions,
): Promise<WrittenStore> {
  const all = containerdImages(images);
  const { snapshots, otherBlobs } = distinctSnapshots(all, options.withLayers);
  const root = `${options.root}/`;
  const { shared = false } = options;
  await output.write(shared ? SHARED_DIRECTORIES : containerdDirectories(root));
  const { records, taken } = await writeSnapshots(snapshots, output, options);
  for (const layer of otherBlobs) await writeBlob(layer, output, options);
  const content = smallContent(all, options.withLayers);
  const small: Uint8Array[] = [
    ...content.files.flatMap(({ digest, bytes }) => fileEntry(`${root}${blobPlace(digest)}`, bytes, BLOB_MODE)),
    ...fileEntry(`${root}${SNAPSHOTS_DB}`, snapshotsDb(records), 0o600),
    ...fileEntry(`${root}${META_DB}`, metaDb({ ...content, snapshots: records }), 0o644),
  ];
  if (shared) await output.write(fileEntry(OWN_PART, ownPart(root, { snapshots, otherBlobs }, small), 0o644));
  else await output.write(small);
  await output.write([endOfArchive()]);
  options.signal?.throwIfAborted();
  await output.finish();
  return { images: all.map(described), layers: snapshots.length, taken };
}

const SHARED_DIRECTORIES = [
  directoryEntry('.', 0o755),
  directoryEntry('content', 0o755),
  directoryEntry('content/sha256', 0o755),
  directoryEntry('snapshots', 0o700),
];

/** What each VM has of its own: links to what all share, and what containerd changes. */
function ownPart(root: string, { snapshots, otherBlobs }: Distinct, small: readonly Uint8Array[]): Uint8Array {
  const blob = ({ descriptor: { digest } }: Layer) =>
    symlinkEntry(`${root}${blobPlace(digest)}`, `${SHARED_AT}/${sharedBlob(digest)}`);
  const snapshot = (id: number) => symlinkEntry(`${root}${snapshotPlace(id)}`, `${SHARED_AT}/${sharedSnapshot(id)}`);
  const links = [
    ...snapshots.flatMap(({ id, layer, writesBlob }) => (writesBlob ? [snapshot(id), blob(layer)] : [snapshot(id)])),
    ...otherBlobs.map(blob),
  ];
  return Buffer.concat([...containerdDirectories(root), ...links, ...small, endOfArchive()]);
}

function described({ names, image, target }: ContainerdImage): WrittenStore['images'][number] {
  return { id: digestHex(image.manifest.config.digest), names, digest: target.digest };
}

async function writeSnapshots(
  all: readonly NextSnapshot[],
  output: RewindableOutput,
  options: WriteContainerdOptions,
): Promise<{ readonly records: readonly SnapshotRecord[]; readonly taken: number }> {
  const { stored, shared = false, root, onLayer } = options;
  const records: SnapshotRecord[] = [];
  /** By chain id, as long as they are needed. */
  const names = new Map<Digest, LayerDirectory>();
  const lastUse = new Map(all.flatMap(({ lower }, at) => lower.map((chain) => [chain, at] as const)));
  let taken = 0;
  let ahead: SnapshotAhead | undefined;
  const canCopy = (one: NextSnapshot) =>
    stored?.has(one.chain, one.writesBlob ? one.layer.descriptor.digest : undefined) ?? false;
  try {
    for (const [at, one] of all.entries()) {
      options.signal?.throwIfAborted();
      const { digest } = one.layer.descriptor;
      const directory = shared ? sharedSnapshot(one.id) : `${root}/${snapshotPlace(one.id)}`;
      const blobAt = shared ? sharedBlob(digest) : `${root}/${blobPlace(digest)}`;
      let written: Pick<WrittenSnapshot, 'names' | 'inodes' | 'bytes'>;
      if (stored && canCopy(one)) {
        written = await stored.copy(
          one.chain,
          { directory, ...(one.writesBlob && { blob: { digest, at: blobAt } }) },
          output,
        );
        taken++;
      } else {
        const begun = ahead;
        const namesBelow = one.lower.flatMap((chain) => names.get(chain) ?? []);
        const writing = writeSnapshot({ ...one, namesBelow, directory, ...(one.writesBlob && { blobAt }) }, output, {
          ...options,
          ...(begun && { begun }),
        });
        // The next layer is decompressed while this one is written.
        const next = all[at + 1];
        ahead = next && !canCopy(next) ? readSnapshot(next.layer, next.writesBlob, options) : undefined;
        written = await writing.catch((error: unknown) => {
          throw inImage(one.image, error);
        });
      }
      names.set(one.chain, written.names);
      for (const chain of [one.chain, ...one.lower]) if ((lastUse.get(chain) ?? -1) <= at) names.delete(chain);
      const { id, chain, parent } = one;
      records.push({ id, chain, ...(parent && { parent }), inodes: written.inodes, size: written.bytes });
      onLayer?.(digest);
    }
  } finally {
    await ahead?.[Symbol.asyncDispose]();
  }
  return { records, taken };
}

/** The blob of a layer whose snapshot was written from another blob, with another compression. */
async function writeBlob(layer: Layer, output: RewindableOutput, options: WriteContainerdOptions): Promise<void> {
  const { digest, size } = layer.descriptor;
  const at = options.shared ? sharedBlob(digest) : `${options.root}/${blobPlace(digest)}`;
  const { signal } = options;
  await output.mark();
  await output.write([fileHeader(at, size, BLOB_MODE)]);
  for await (const chunk of await layer.open({ ...(signal && { signal }) })) await output.write([chunk]);
  await output.write([padding(size)]);
}

interface Distinct {
  /** Each file system once, over all images, parents before children. */
  readonly snapshots: readonly NextSnapshot[];
  /** Layers of images whose snapshots come from other blobs. */
  readonly otherBlobs: readonly Layer[];
}

function distinctSnapshots(images: readonly ContainerdImage[], withLayers: boolean): Distinct {
  const found = new Map<Digest, NextSnapshot>();
  const blobs = new Set<Digest>();
  for (const { names, image, chain } of images) {
    for (const [at, one] of chain.entries()) {
      if (found.has(one)) continue;
      const layer = image.layers[at] as Layer;
      const { digest } = layer.descriptor;
      const writesBlob = withLayers && !blobs.has(digest);
      blobs.add(digest);
      const lower = chain.slice(0, at).reverse();
      const [parent] = lower;
      found.set(one, {
        id: found.size + 1,
        chain: one,
        ...(parent && { parent }),
        layer,
        below: image.layers.slice(0, at),
        lower,
        image: names[0] ?? image.label,
        writesBlob,
      });
    }
  }
  const others = new Map(
    images.flatMap(({ image }) => image.layers.map((layer) => [layer.descriptor.digest, layer] as const)),
  );
  for (const digest of blobs) others.delete(digest);
  return { snapshots: [...found.values()], otherBlobs: withLayers ? [...others.values()] : [] };
}
