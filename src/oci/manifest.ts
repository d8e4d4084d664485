// Image manifests and indexes, OCI and Docker (OCI image specification 1.1, manifest.md and image-index.md). The bytes are the truth; these are views of them.
import * as decode from './decode.ts';
import { type Descriptor, decodeDescriptor } from './descriptor.ts';
import { type Digest, type DigestAlgorithm, digestAlgorithm, digestOf } from './digest.ts';
import { ImagesError } from './errors.ts';
import * as types from './media-types.ts';

/** A manifest as it came over the wire: what is stored, served and hashed. `mediaType` is what it is served as. */
export interface RawManifest {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly bytes: Uint8Array;
}

export interface ImageManifest {
  readonly kind: 'image';
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Index {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type Manifest = ImageManifest | Index;

/** In bytes. Registries must accept manifests of up to 4 MiB (distribution specification, "Pushing Manifests"); larger ones are refused here, as other tools do. */
export const MAX_MANIFEST_SIZE = 4 * 1024 * 1024;

/** Wraps manifest bytes; the digest is computed. `mediaType` defaults to what the bytes themselves say. Errors: MANIFEST_INVALID. */
export function rawManifest(bytes: Uint8Array, mediaType?: string, algorithm: DigestAlgorithm = 'sha256'): RawManifest {
  const type = mediaType ?? manifestMediaType(decode.object(decode.parseJson(bytes, 'manifest'), 'manifest'));
  return { mediaType: type, digest: digestOf(bytes, algorithm), size: bytes.length, bytes };
}

/** The descriptor by which others name this manifest. */
export function manifestDescriptor(raw: RawManifest): Descriptor {
  return { mediaType: raw.mediaType, digest: raw.digest, size: raw.size };
}

/**
 * The descriptor by which the referrers API lists a manifest, with its annotations and its artifactType. For an image manifest without an artifactType
 * that is its config's media type (distribution specification 1.1, "Listing Referrers").
 */
export function referrerDescriptor(raw: RawManifest, manifest: Manifest): Descriptor {
  const artifactType = manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined);
  return {
    ...manifestDescriptor(raw),
    ...(artifactType && { artifactType }),
    ...(manifest.annotations && { annotations: manifest.annotations }),
  };
}

/** The media type of a manifest from its own content: `mediaType`, else the fields that only one kind has. Errors: MANIFEST_INVALID. */
export function manifestMediaType(fields: decode.Json): string {
  const stated = decode.optional(fields.mediaType, 'manifest.mediaType', decode.string);
  if (stated) return stated;
  if (fields.schemaVersion === 1) return types.DOCKER_SCHEMA1[0] as string;
  if (Array.isArray(fields.manifests) || fields.manifests === null) return types.OCI_INDEX;
  if (decode.isObject(fields.config)) return types.OCI_MANIFEST;
  throw new ImagesError('MANIFEST_INVALID', 'manifest has neither mediaType, nor config, nor manifests');
}

/**
 * Reads a manifest. Errors: MANIFEST_INVALID (not JSON, wrong types, bad digests, content that contradicts the media type),
 * UNSUPPORTED (Docker schema 1, unknown media types).
 */
export function decodeManifest(raw: Pick<RawManifest, 'bytes' | 'mediaType'>): Manifest {
  const fields = decode.object(decode.parseJson(raw.bytes, 'manifest'), 'manifest');
  const stated = decode.optional(fields.mediaType, 'manifest.mediaType', decode.string);
  if (types.DOCKER_SCHEMA1.includes(raw.mediaType) || fields.schemaVersion === 1) {
    throw new ImagesError('UNSUPPORTED', 'Docker schema 1 manifests are not supported', {
      hint: 'Push the image again with a current tool: schema 1 has been obsolete since 2017.',
    });
  }
  if (stated && stated !== raw.mediaType) {
    throw new ImagesError('MANIFEST_INVALID', `manifest says ${stated} and came as ${raw.mediaType}`);
  }
  if (!types.isManifestType(raw.mediaType)) {
    throw new ImagesError('UNSUPPORTED', `manifest media type is not supported [${raw.mediaType}]`);
  }
  // Only the bytes are stored. A media type that they do not state themselves would be lost.
  if (!stated && manifestMediaType(fields) !== raw.mediaType) {
    throw new ImagesError('MANIFEST_INVALID', `manifest came as ${raw.mediaType} and does not say so itself`);
  }
  const common = decodeCommon(fields);
  if (types.isIndexType(raw.mediaType)) {
    // The same bytes must not be an image to one reader and an index to another (CVE-2021-41190).
    if ('layers' in fields || 'config' in fields) {
      throw new ImagesError('MANIFEST_INVALID', 'index has the fields of an image manifest');
    }
    const manifests = decode
      .array(fields.manifests ?? [], 'manifest.manifests')
      .map((entry, at) => decodeDescriptor(entry, `manifest.manifests[${at}]`));
    return { kind: 'index', mediaType: raw.mediaType, manifests, ...common };
  }
  if ('manifests' in fields) throw new ImagesError('MANIFEST_INVALID', 'image manifest has the fields of an index');
  const layers = decode
    .array(fields.layers ?? [], 'manifest.layers')
    .map((entry, at) => decodeDescriptor(entry, `manifest.layers[${at}]`));
  return {
    kind: 'image',
    mediaType: raw.mediaType,
    config: decodeDescriptor(fields.config, 'manifest.config'),
    layers,
    ...common,
  };
}

function decodeCommon(fields: decode.Json): Pick<Manifest, 'artifactType' | 'subject' | 'annotations'> {
  const artifactType = decode.optional(fields.artifactType, 'manifest.artifactType', decode.string);
  const subject = decode.optional(fields.subject, 'manifest.subject', decodeDescriptor);
  const annotations = decode.optional(fields.annotations, 'manifest.annotations', decode.stringMap);
  return { ...(artifactType && { artifactType }), ...(subject && { subject }), ...(annotations && { annotations }) };
}

export interface Successors {
  readonly manifests: readonly Descriptor[];
  /** Config and layers, without foreign layers (see `isElsewhere`). */
  readonly blobs: readonly Descriptor[];
}

/** The descriptors that a manifest points to. This is the only file that knows them. A `subject` is not a successor, because it need not exist. */
export function successors(manifest: Manifest): Successors {
  if (manifest.kind === 'index') return { manifests: manifest.manifests, blobs: [] };
  return { manifests: [], blobs: [manifest.config, ...manifest.layers].filter((blob) => !isElsewhere(blob)) };
}

/** Whether a layer is foreign: downloaded from its `urls`, not from a registry. A foreign type without `urls` counts as an ordinary layer, or it would be lost. */
export function isElsewhere({ mediaType, urls = [] }: Descriptor): boolean {
  return types.isNonDistributable(mediaType) && urls.length > 0;
}

/** Checks that bytes are what a descriptor says. Errors: DIGEST_INVALID, SIZE_INVALID. */
export function verifyBytes(bytes: Uint8Array, expected: { digest: Digest; size?: number }): void {
  if (expected.size !== undefined && bytes.length !== expected.size) {
    throw new ImagesError('SIZE_INVALID', `size is ${bytes.length}, expected ${expected.size} [${expected.digest}]`);
  }
  const digest = digestOf(bytes, digestAlgorithm(expected.digest));
  if (digest !== expected.digest) {
    throw new ImagesError('DIGEST_INVALID', `digest is ${digest}, expected ${expected.digest}`);
  }
}
