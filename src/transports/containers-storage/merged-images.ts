// Images as a store has them: those with one config are one image with several names and manifests.
import { hasFileSystem } from '../../oci/agreement.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { ReadableImage } from '../readable-image.ts';
import { layerIds } from './layer-ids.ts';
import { createdTime, type ImageRecord, idOf } from './written-records.ts';

export interface ImageToStore {
  /** Full references: `docker.io/library/alpine:3.20`, `quay.io/x/y@sha256:…`. */
  readonly names: readonly string[];
  readonly image: ReadableImage;
}

/** The kernel and the driver accept no more layers in one mount. */
const MAX_LAYERS = 500;

export interface MergedImage {
  readonly id: string;
  readonly names: readonly string[];
  /** Images with the same config. Their layers are equal, so any of them provides the layers. */
  readonly images: readonly ReadableImage[];
  readonly layerIds: readonly string[];
}

/** Merges images with the same config into one, in the order of ids. If several images claim a name, the last one gets it. Errors: UNSUPPORTED, MANIFEST_INVALID. */
export function mergedImages(images: readonly ImageToStore[]): readonly MergedImage[] {
  const owners = new Map<string, string>();
  const byId = new Map<string, ReadableImage[]>();
  for (const { names, image } of images) {
    const id = idOf(image.manifest.config.digest);
    for (const name of names) owners.set(name, id);
    const same = byId.get(id);
    if (same) same.push(image);
    else byId.set(id, [image]);
  }
  const named = new Map([...byId.keys()].map((id) => [id, [] as string[]]));
  for (const [name, owner] of owners) named.get(owner)?.push(name);
  return [...byId]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, same]) => {
      const sorted = same.toSorted((a, b) => (a.raw.digest < b.raw.digest ? -1 : 1));
      return { id, names: (named.get(id) ?? []).sort(), images: sorted, layerIds: idsOf(sorted[0] as ReadableImage) };
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

export function recordOf({ id, names, images, layerIds: ids }: MergedImage): ImageRecord {
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
