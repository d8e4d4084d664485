// An image of a containers-storage store as a source. The store has its layers unpacked. They are reassembled with tar-split: uncompressed, byte for byte.
//
// A layer that was compressed when it was pulled cannot be compressed to the same bytes again. So the manifest of this source names the uncompressed layers,
// as skopeo's does. The config does not change, and so the image id does not either. Only if the layers were put there uncompressed, as by podman build, the
// manifest is the stored one. (skopeo gives uncompressed layers of a Docker manifest the media type for gzip. Such a stored manifest is not used.)
import type { Bytes } from '../../io/streams/bytes.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { tapped, verified } from '../../io/streams/verify.ts';
import { decodeConfig } from '../../oci/config.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { decodeManifest, type ImageManifest, type RawManifest, rawManifest, verifyBytes } from '../../oci/manifest.ts';
import { type JoinOptions, joinTarSplit, readTarSplit } from '../../rootfs/tar-split.ts';
import { isUncompressed, withLayers } from '../compressing/with-layers.ts';
import type { ImageSource } from '../contract.ts';
import { skipped } from '../skipped.ts';
import { findStoredImage } from './find-image.ts';
import type { StorageImage } from './storage-location.ts';
import type { StoreFiles } from './store-files.ts';
import { layersOf, readBigData, readImages, readLayers, type StoredImage, type StoredLayer } from './store-records.ts';

export interface StorageSource extends ImageSource {
  /** Full references: `docker.io/library/alpine:3.20`. */
  readonly names: readonly string[];
  /** The manifest in the store, as it was when the image was put there. Only for display. */
  readonly stored: RawManifest;
}

/** Disposing closes the store. Errors: MANIFEST_UNKNOWN, REFERENCE_INVALID, MANIFEST_INVALID (the store is damaged), NO_ACCESS. */
export async function storageSource(files: StoreFiles, wanted: StorageImage): Promise<StorageSource> {
  const image = findStoredImage(await readImages(files), wanted, files.label);
  const { raw: stored, manifest } = await storedManifest(files, image);
  const configName = `sha256:${image.id}`;
  const config = await bigData(files, image, manifest.config.digest, configName);
  verifyBytes(config, manifest.config);
  const layers = await describeLayers(files, image, config);
  const root = rootManifest(stored, manifest, layers);
  const byDigest = new Map(layers.map((layer) => [layer.diffId, layer]));
  return {
    label: `containers-storage:[${files.label}]${image.names[0] ?? `@${image.id}`}`,
    host: files.label,
    names: image.names,
    stored,
    root: async () => root,
    manifest: async (descriptor) => {
      if (descriptor.digest === root.digest) return root;
      throw new ImagesError('MANIFEST_UNKNOWN', `no such manifest in the store [${descriptor.digest}]`);
    },
    async blob(descriptor, from) {
      if (descriptor.digest === manifest.config.digest) return skipped(oneChunk(config), from);
      const layer = byDigest.get(descriptor.digest);
      if (!layer) throw new ImagesError('BLOB_UNKNOWN', `no such blob in the store [${descriptor.digest}]`);
      const archive = explained(verified(await archiveOf(files, layer.id), descriptor), files, layer.id);
      return from === 0 ? archive : skipped(archive, from);
    },
    async *referrers() {},
    statTag: async () => undefined,
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

interface DescribedLayer {
  readonly id: string;
  readonly diffId: Digest;
  readonly size: number;
}

async function storedManifest(
  files: StoreFiles,
  image: StoredImage,
): Promise<{ readonly raw: RawManifest; readonly manifest: ImageManifest }> {
  const bytes = await bigData(files, image, ...(image.digest ? [`manifest-${image.digest}`] : []), 'manifest');
  const raw = rawManifest(bytes);
  const manifest = decodeManifest(raw);
  if (manifest.kind === 'image') return { raw, manifest };
  throw new ImagesError('UNSUPPORTED', `it is a manifest list, not an image [${image.names[0] ?? image.id}]`, {
    hint: 'Name one of its images by id: `podman manifest inspect` lists them.',
  });
}

async function bigData(files: StoreFiles, image: StoredImage, ...names: readonly string[]): Promise<Uint8Array> {
  for (const name of names) {
    const bytes = await readBigData(files, image, name);
    if (bytes) return bytes;
  }
  throw new ImagesError('MANIFEST_INVALID', `the store lacks a part of the image [${names[0]} of ${image.id}]`, {
    hint: 'The store is damaged: remove the image there and fetch it again.',
  });
}

/** The layers of the config and those of the store must agree; else their assignment is not known. Errors: MANIFEST_INVALID. */
async function describeLayers(
  files: StoreFiles,
  image: StoredImage,
  config: Uint8Array,
): Promise<readonly DescribedLayer[]> {
  const { diffIds } = decodeConfig(config);
  const chain = layersOf(image, await readLayers(files));
  const differs = chain.find((layer, at) => layer.diffId !== undefined && layer.diffId !== diffIds[at]);
  if (chain.length !== diffIds.length || differs) {
    throw new ImagesError(
      'MANIFEST_INVALID',
      `the store has other layers than the image's config names [${differs?.id ?? `${chain.length}, not ${diffIds.length}`}]`,
      { hint: 'The store is damaged: remove the image there and fetch it again.' },
    );
  }
  return await Promise.all(
    chain.map(async (layer, at) => ({
      id: layer.id,
      diffId: diffIds[at] as Digest,
      size: await sizeOf(files, layer),
    })),
  );
}

/** The size of the layer's archive: from the store, or from tar-split if the store does not record it. */
async function sizeOf(files: StoreFiles, { id, size }: StoredLayer): Promise<number> {
  if (size !== undefined) return size;
  let sum = 0;
  for await (const entry of readTarSplit(await tarSplitOf(files, id))) {
    sum += entry.type === 'segment' ? entry.bytes.length : entry.size;
  }
  return sum;
}

/** Errors: TAR_INVALID, COMPRESSION_INVALID, NO_ACCESS; UNSUPPORTED where the layer has no tar-split. */
async function archiveOf(files: StoreFiles, id: string, options: JoinOptions = {}): Promise<Bytes> {
  const content = await files.layerContent(id);
  return joinTarSplit(readTarSplit(await tarSplitOf(files, id)), content.open, options);
}

/** If the digest is wrong, the layer is read once more, file by file, to report which file has changed. */
function explained(archive: Bytes, files: StoreFiles, id: string): Bytes {
  return tapped(
    archive,
    () => {},
    async (error) => {
      if (!isImagesError(error, 'DIGEST_INVALID')) return;
      for await (const _ of await archiveOf(files, id, { sums: true }));
    },
  );
}

async function tarSplitOf(files: StoreFiles, id: string): Promise<Bytes> {
  const bytes = await files.read(`overlay-layers/${id}.tar-split.gz`);
  if (bytes) return oneChunk(bytes);
  throw new ImagesError('UNSUPPORTED', `a layer has no tar-split file, so its archive cannot be made again [${id}]`, {
    hint: 'Fetch the image into the store again, whole.',
  });
}

function rootManifest(stored: RawManifest, manifest: ImageManifest, layers: readonly DescribedLayer[]): RawManifest {
  const same =
    manifest.layers.length === layers.length &&
    manifest.layers.every(
      ({ mediaType, digest, size }, at) =>
        isUncompressed(mediaType) && digest === layers[at]?.diffId && size === layers[at]?.size,
    );
  if (same) return stored;
  return withLayers(
    stored,
    layers.map(({ diffId, size }) => ({ digest: diffId, size, compression: 'none' })),
  );
}
