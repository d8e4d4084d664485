// `inspect`: describes an image by its manifests and its config alone.
import * as decode from '../../oci/decode.ts';
import type { Digest } from '../../oci/digest.ts';
import { decodeManifest } from '../../oci/manifest.ts';
import { isIndexType } from '../../oci/media-types.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { layerInstructions } from '../../rootfs/instructions.ts';
import type { ReadableImage } from '../../transports/readable-image.ts';

export interface ImageDescription {
  /** The name of the image in its transport. */
  readonly name: string;
  /** The digest to which the name points, even if that is an index. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** For an index: the platforms of its images. */
  readonly platforms?: readonly string[];
  readonly manifest: {
    readonly digest: Digest;
    readonly mediaType: string;
    readonly size: number;
    readonly annotations: Readonly<Record<string, string>>;
  };
  /** The digest of its config. */
  readonly id: Digest;
  readonly platform: string;
  /** Total bytes of its layers, as they are stored. */
  readonly size: number;
  /** The base first. */
  readonly layers: readonly DescribedLayer[];
  /** The parsed config, unchanged. */
  readonly config: unknown;
}

export interface DescribedLayer {
  readonly digest: Digest;
  readonly diffId: Digest | undefined;
  readonly mediaType: string;
  readonly size: number;
  /** Empty if the history does not tell. */
  readonly instruction: string;
}

/** Uses only what the opened image holds already; nothing is read. */
export function describeImage(image: ReadableImage): ImageDescription {
  const { root, raw, manifest } = image;
  const instructions = layerInstructions(image.config);
  return {
    name: image.label,
    digest: root.digest,
    mediaType: root.mediaType,
    ...(isIndexType(root.mediaType) && { platforms: platformsOf(image) }),
    manifest: { digest: raw.digest, mediaType: raw.mediaType, size: raw.size, annotations: manifest.annotations ?? {} },
    id: manifest.config.digest,
    platform: formatPlatform(image.config.platform),
    size: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    layers: image.layers.map(({ descriptor, diffId }, at) => ({
      digest: descriptor.digest,
      diffId,
      mediaType: descriptor.mediaType,
      size: descriptor.size,
      instruction: instructions[at] ?? '',
    })),
    config: decode.parseJson(image.configBytes, 'config'),
  };
}

function platformsOf({ root }: ReadableImage): readonly string[] {
  const index = decodeManifest(root);
  if (index.kind !== 'index') return [];
  return index.manifests.flatMap(({ platform }) =>
    platform && platform.os !== 'unknown' ? [formatPlatform(platform)] : [],
  );
}
