// Writes the records of a store: layers.json, images.json and images' big data (containers/storage, layers.go and images.go). Pure.
import type { Compression } from '../../io/compression/compression.ts';
import { type Digest, digestHex, digestOf } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { RawManifest } from '../../oci/manifest.ts';

export interface LayerRecord {
  readonly id: string;
  readonly parent?: string;
  /** In RFC 3339 format. */
  readonly created: string;
  /** The descriptor in the manifest. */
  readonly blob: { readonly digest: Digest; readonly size: number; readonly compression?: Compression };
  /** The uncompressed archive. */
  readonly diffId: Digest;
  readonly size: number;
  readonly uids: readonly number[];
  readonly gids: readonly number[];
}

export interface ImageRecord {
  /** 64 hexadecimal digits: the digest of the config. */
  readonly id: string;
  /** Full references. No other image has them. */
  readonly names: readonly string[];
  /** The id of the top layer; absent if the image has no layers. */
  readonly layer?: string;
  readonly created: string;
  readonly config: Uint8Array;
  /** The image's own manifests, with its current manifest first; then the indexes that led to them. */
  readonly manifests: readonly RawManifest[];
}

export interface BigData {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The values of archive.Compression in containers/storage. Uncompressed layers have no value. */
const COMPRESSIONS: Readonly<Record<Compression, number>> = { bzip2: 1, gzip: 2, xz: 3, zstd: 4 };
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
const UNKNOWN_TIME = '1970-01-01T00:00:00Z';

/** `layers` list parents before children. */
export function layersJson(layers: readonly LayerRecord[]): string {
  return JSON.stringify(
    layers.map(({ id, parent, created, blob, diffId, size, uids, gids }) => ({
      id,
      ...(parent !== undefined && { parent }),
      created,
      'compressed-diff-digest': blob.digest,
      'compressed-size': blob.size,
      'diff-digest': diffId,
      'diff-size': size,
      ...(blob.compression && { compression: COMPRESSIONS[blob.compression] }),
      ...(uids.length > 0 && { uidset: uids }),
      ...(gids.length > 0 && { gidset: gids }),
    })),
  );
}

export function imagesJson(images: readonly ImageRecord[]): string {
  return JSON.stringify(
    images.map((image) => {
      const data = bigDataOf(image);
      const byName = <T>(value: (bytes: Uint8Array) => T) =>
        Object.fromEntries(data.map(({ name, bytes }) => [name, value(bytes)]));
      return {
        id: image.id,
        digest: image.manifests[0]?.digest,
        ...(image.names.length > 0 && { names: image.names }),
        ...(image.layer !== undefined && { layer: image.layer }),
        metadata: '{}',
        'big-data-names': data.map(({ name }) => name),
        'big-data-sizes': byName((bytes) => bytes.length),
        'big-data-digests': byName((bytes) => digestOf(bytes)),
        created: image.created,
      };
    }),
  );
}

/** The files that a store keeps for an image beside its layers. Each manifest is stored by digest, and the current one once more under its own name. */
export function bigDataOf({ id, config, manifests }: ImageRecord): readonly BigData[] {
  const [own] = manifests;
  return [
    { name: `sha256:${id}`, bytes: config },
    ...manifests.map(({ digest, bytes }) => ({ name: `manifest-${digest}`, bytes })),
    ...(own ? [{ name: 'manifest', bytes: own.bytes }] : []),
  ];
}

/** The id of an image or of a base layer. Errors: UNSUPPORTED if the digest is not sha256, because ids have 64 digits. */
export function idOf(digest: Digest): string {
  if (digest.startsWith('sha256:')) return digestHex(digest);
  throw new ImagesError('UNSUPPORTED', `a store of containers has ids of sha256 only [${digest}]`, {
    hint: 'Build the image again with sha256, or use --format=oci-archive.',
  });
}

/** The time if readers of the store accept it, else a fixed one: an invalid time would make the whole store unreadable. */
export function createdTime(created: string | undefined): string {
  return created !== undefined && RFC_3339.test(created) && !Number.isNaN(Date.parse(created)) ? created : UNKNOWN_TIME;
}
