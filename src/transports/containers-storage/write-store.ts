// Writes images as the archive of a complete store of the overlay driver. CRI-O, podman and skopeo read the store once root has unpacked it. The archive is
// written in one pass, in an order that depends only on the images. What needs privileges is only stated in headers.
import type { RewindableOutput } from '../../io/files/rewindable-output.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { hasFileSystem } from '../../oci/agreement.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { RootDirectory } from '../../rootfs/overlay-header.ts';
import { endOfArchive } from '../../tar/writer.ts';
import type { ReadableImage } from '../readable-image.ts';
import { layerIds } from './layer-ids.ts';
import { directoryEntry, fileEntry } from './store-entries.ts';
import { bigDataFile } from './store-records.ts';
import {
  type LayerAhead,
  type LayerToWrite,
  readAhead,
  storedLayerCompression,
  type WrittenLayer,
  writeStoreLayer,
} from './write-layer.ts';
import {
  bigDataOf,
  createdTime,
  type ImageRecord,
  idOf,
  imagesJson,
  type LayerRecord,
  layersJson,
} from './written-records.ts';

export interface ImageToStore {
  /** Full references: `docker.io/library/alpine:3.20`, `quay.io/x/y@sha256:…`. */
  readonly names: readonly string[];
  readonly image: ReadableImage;
}

/** Layers in an existing archive that this program has written. They are copied unchanged. */
export interface StoredLayers {
  record(id: string): LayerRecord | undefined;
  /** Copies the whole range, from the layer's directory to the end of its tar-split. */
  copy(id: string, output: RewindableOutput): Promise<void>;
  /** The root of the layer's tree. */
  rootDirectory(id: string): RootDirectory | undefined;
}

export interface WriteStoreOptions extends CallOptions {
  /** The path of the graph root in the archive, for example `var/lib/containers/storage`; empty for the archive's own root. */
  readonly graphRoot: string;
  readonly userXattr?: boolean;
  /** The directory for data that does not fit into memory. */
  readonly temporaryDirectory: string;
  readonly stored?: StoredLayers;
  /** Called when a layer is in the archive. */
  readonly onLayer?: (digest: Digest) => void;
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

/** The kernel and the driver accept no more layers in one mount. */
const MAX_LAYERS = 500;

/** Finishes the output. Errors: UNSUPPORTED (too many layers, digests that are not sha256), MANIFEST_INVALID, those of `writeLayer`. */
export async function writeStore(
  images: readonly ImageToStore[],
  output: RewindableOutput,
  options: WriteStoreOptions,
): Promise<WrittenStore> {
  const merged = mergedImages(images);
  const root = options.graphRoot === '' ? '' : `${options.graphRoot}/`;
  await output.write(directories(root));
  const layers = await writeLayers(merged, output, { ...options, root });
  const records = merged.map(recordOf);
  await output.write(smallFiles(records, layers.records, root));
  await output.write([endOfArchive()]);
  options.signal?.throwIfAborted();
  await output.finish();
  return {
    images: records.map(({ id, names, manifests }) => ({ id, names, digest: manifests[0]?.digest as Digest })),
    layers: layers.records.length,
    taken: layers.taken,
  };
}

interface MergedImage {
  readonly id: string;
  readonly names: readonly string[];
  /** Images with the same config. Their layers are equal, so any of them provides the layers. */
  readonly images: readonly ReadableImage[];
  readonly layerIds: readonly string[];
}

/** Merges images with the same config into one, in the order of ids. If several images claim a name, the last one gets it. */
function mergedImages(images: readonly ImageToStore[]): readonly MergedImage[] {
  const owners = new Map<string, string>();
  const byId = new Map<string, ReadableImage[]>();
  for (const { names, image } of images) {
    const id = idOf(image.manifest.config.digest);
    for (const name of names) owners.set(name, id);
    byId.set(id, [...(byId.get(id) ?? []), image]);
  }
  return [...byId]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, same]) => {
      const sorted = same.toSorted((a, b) => (a.raw.digest < b.raw.digest ? -1 : 1));
      const names = [...owners].flatMap(([name, owner]) => (owner === id ? [name] : []));
      return { id, names: names.sort(), images: sorted, layerIds: idsOf(sorted[0] as ReadableImage) };
    });
}

function idsOf({ label, layers, manifest }: ReadableImage): readonly string[] {
  if (!hasFileSystem(manifest)) {
    const type = manifest.artifactType ?? manifest.config.mediaType;
    throw new ImagesError('UNSUPPORTED', `it is no image with a file system [${type} of ${label}]`, {
      hint: 'Charts, signatures and the like can be copied to oci:, oci-archive: or a registry.',
    });
  }
  if (layers.length > MAX_LAYERS) {
    throw new ImagesError('UNSUPPORTED', `an image of ${layers.length} layers cannot be mounted [${label}]`, {
      hint: `overlayfs takes ${MAX_LAYERS} layers at most: build the image with fewer.`,
    });
  }
  const diffIds = layers.map(({ diffId, descriptor }) => {
    if (diffId !== undefined) return diffId;
    throw new ImagesError('MANIFEST_INVALID', `the config has no diffID for layer ${descriptor.digest} [${label}]`);
  });
  for (const diffId of diffIds) idOf(diffId);
  return layerIds(diffIds);
}

function recordOf({ id, names, images, layerIds: ids }: MergedImage): ImageRecord {
  const [first] = images as readonly [ReadableImage];
  const layer = ids.at(-1);
  const roots = [...images.map(({ raw }) => raw), ...images.map(({ root }) => root)];
  return {
    id,
    names,
    ...(layer !== undefined && { layer }),
    created: createdTime(first.config.created),
    config: first.configBytes,
    manifests: [...new Map(roots.map((raw) => [raw.digest, raw])).values()],
  };
}

interface Layers {
  /** Parents before children. */
  readonly records: readonly LayerRecord[];
  readonly taken: number;
}

interface NextLayer extends LayerToWrite {
  /** The name of the image, for messages. */
  readonly image: string;
  readonly created: string;
}

async function writeLayers(
  images: readonly MergedImage[],
  output: RewindableOutput,
  options: WriteStoreOptions & { readonly root: string },
): Promise<Layers> {
  const { stored, onLayer } = options;
  const all = distinctLayers(images);
  const records: LayerRecord[] = [];
  /** The root directories by layer id. */
  const roots = new Map<string, RootDirectory>();
  let taken = 0;
  let ahead: LayerAhead | undefined;
  try {
    for (const [at, one] of all.entries()) {
      options.signal?.throwIfAborted();
      const known = stored?.record(one.id);
      if (known && stored) {
        await stored.copy(one.id, output);
        records.push({ ...known, created: one.created, blob: await blobOf(known, one, options) });
        const root = stored.rootDirectory(one.id);
        if (root) roots.set(one.id, root);
        taken++;
      } else {
        const current = ahead;
        // The next layer is decompressed while this one is written.
        const next = all[at + 1];
        const rootBelow = roots.get(one.lower[0] ?? '');
        const writing = writeStoreLayer({ ...one, ...(rootBelow && { rootBelow }) }, output, {
          ...options,
          userXattr: options.userXattr ?? false,
          ...(current && { ahead: current }),
        });
        ahead = next && !stored?.record(next.id) ? readAhead(next.layer, options) : undefined;
        const written = await writing.catch((error: unknown) => {
          throw inImage(one.image, error);
        });
        roots.set(one.id, written.root);
        records.push(layerRecord(one, written));
      }
      onLayer?.(one.layer.descriptor.digest);
    }
  } finally {
    await ahead?.[Symbol.asyncDispose]();
  }
  return { records, taken };
}

/** Adds the image's name to an error of a layer, because the image has to be repaired or left out. */
function inImage(image: string, error: unknown): unknown {
  if (!isImagesError(error, 'TAR_INVALID', 'COMPRESSION_INVALID', 'DIGEST_INVALID')) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new ImagesError(error.code, `${error.message} [${image}]`, { ...hint, cause: error });
}

/** The image may now have the same layer with another compression. */
async function blobOf(known: LayerRecord, { layer }: NextLayer, call: CallOptions): Promise<LayerRecord['blob']> {
  const { digest, size } = layer.descriptor;
  if (digest === known.blob.digest) return known.blob;
  const compression = await storedLayerCompression(layer, call);
  return { digest, size, ...(compression && { compression }) };
}

/** Each layer once, over all images. */
function distinctLayers(images: readonly MergedImage[]): readonly NextLayer[] {
  const found = new Map<string, NextLayer>();
  for (const { names, images: same, layerIds: ids } of images) {
    const [{ layers, config, label }] = same as readonly [ReadableImage];
    const image = names[0] ?? label;
    const created = createdTime(config.created);
    ids.forEach((id, at) => {
      if (found.has(id)) return;
      const lower = ids.slice(0, at).reverse();
      found.set(id, {
        id,
        image,
        lower,
        created,
        layer: layers[at] as LayerToWrite['layer'],
        below: layers.slice(0, at),
      });
    });
  }
  return [...found.values()];
}

function layerRecord({ id, lower, created, layer }: NextLayer, written: WrittenLayer): LayerRecord {
  const { digest, size } = layer.descriptor;
  const { compression, diffId, uids, gids } = written;
  const [parent] = lower;
  return {
    id,
    ...(parent !== undefined && { parent }),
    created,
    blob: { digest, size, ...(compression && { compression }) },
    diffId,
    size: written.size,
    uids,
    gids,
  };
}

/** The directories that lead to the store are accessible to everybody, its own only to root. */
function directories(root: string): readonly Uint8Array[] {
  const parts = root.split('/').slice(0, -1);
  const above = parts.map((_, at) => parts.slice(0, at + 1).join('/'));
  const own = ['overlay', 'overlay-containers', 'overlay-images', 'overlay-layers'];
  return [
    ...(root === '' ? [directoryEntry('.', 0o700)] : []),
    ...above.map((path) => directoryEntry(path, `${path}/` === root ? 0o700 : 0o755)),
    ...own.map((name) => directoryEntry(`${root}${name}`, 0o700)),
    directoryEntry(`${root}overlay/l`, 0o755),
  ];
}

function smallFiles(
  images: readonly ImageRecord[],
  layers: readonly LayerRecord[],
  root: string,
): readonly Uint8Array[] {
  const data = images.flatMap((image) => [
    directoryEntry(`${root}overlay-images/${image.id}`, 0o700),
    ...bigDataOf(image).flatMap(({ name, bytes }) =>
      fileEntry(`${root}overlay-images/${image.id}/${bigDataFile(name)}`, bytes, 0o600),
    ),
  ]);
  // A read-only store is refused without these lock files.
  const locks = ['overlay-containers/containers', 'overlay-images/images', 'overlay-layers/layers', 'storage'];
  return [
    ...data,
    ...fileEntry(`${root}overlay-layers/layers.json`, layersJson(layers), 0o600),
    ...fileEntry(`${root}overlay-images/images.json`, imagesJson(images), 0o600),
    ...locks.flatMap((name) => fileEntry(`${root}${name}.lock`, '', 0o644)),
  ];
}
