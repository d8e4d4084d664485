// Writes images as the archive of a complete store of the overlay driver. CRI-O, podman and skopeo read the store once root has unpacked it. The archive is
// written in one pass, in an order that depends only on the images. What needs privileges is only stated in headers.
import type { RewindableOutput } from '../../io/files/rewindable-output.ts';
import type { Digest } from '../../oci/digest.ts';
import { endOfArchive } from '../../tar/writer.ts';
import { type ImageToStore, mergedImages, recordOf } from './merged-images.ts';
import { storeDirectories, storeRecords } from './store-frame.ts';
import { type StoreLayersOptions, writeLayers } from './write-layers.ts';

export interface WriteStoreOptions extends StoreLayersOptions {
  /** The path of the graph root in the archive, for example `var/lib/containers/storage`; empty for the archive's own root. */
  readonly graphRoot: string;
}

export interface WrittenImage {
  readonly id: string;
  readonly names: readonly string[];
  readonly digest: Digest;
}

export interface WrittenStore {
  readonly images: readonly WrittenImage[];
  readonly layers: number;
  /** The number of layers that were copied from `stored`. */
  readonly taken: number;
}

/** Finishes the output. Errors: UNSUPPORTED (too many layers, digests that are not sha256), MANIFEST_INVALID, those of `writeLayer`. */
export async function writeStore(
  images: readonly ImageToStore[],
  output: RewindableOutput,
  options: WriteStoreOptions,
): Promise<WrittenStore> {
  const merged = mergedImages(images);
  const root = options.graphRoot === '' ? '' : `${options.graphRoot}/`;
  await output.write(storeDirectories(root));
  const layers = await writeLayers(merged, output, { ...options, root });
  const records = merged.map(recordOf);
  await output.write(storeRecords(records, layers.records, root));
  await output.write([endOfArchive()]);
  options.signal?.throwIfAborted();
  await output.finish();
  return {
    images: records.map(({ id, names, manifests }) => ({ id, names, digest: manifests[0]?.digest as Digest })),
    layers: layers.records.length,
    taken: layers.taken,
  };
}
