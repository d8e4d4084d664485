// An image of a docker-archive without a manifest: one is made from its config and its layer files. The layers do not change.
import { type Compression, peekCompression } from '../../io/compression/compression.ts';
import { decompressed } from '../../io/compression/decompress.ts';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { measure } from '../../io/streams/measure.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { decodeConfig } from '../../oci/config.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { MAX_MANIFEST_SIZE, type RawManifest, rawManifest, verifyBytes } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { ArchivedFile, ArchiveFile } from '../archive/archive-file.ts';
import { readSmall } from '../layout/layout-files.ts';
import { skipped } from '../skipped.ts';
import type { DockerItem } from './docker-manifest.ts';

export interface ArchivedImage {
  readonly manifest: RawManifest;
  readonly blobs: ReadonlyMap<Digest, ArchivedBlob>;
}

export interface ArchivedBlob {
  readonly descriptor: Descriptor;
  open(from: number): Promise<Bytes>;
}

/** What is known of a layer file. */
export interface LayerFile extends ArchivedBlob {
  /** Absent if the file has not been read completely. */
  readonly diffId?: Digest;
}

/** How many layers are hashed at a time. */
const AT_A_TIME = 2;

/** Errors: BLOB_UNKNOWN (a file is missing), MANIFEST_INVALID, DIGEST_INVALID, COMPRESSION_INVALID. */
export async function readArchivedImage(archive: ArchiveFile, item: DockerItem): Promise<ArchivedImage> {
  const config = await readSmall(archive, item.config, MAX_MANIFEST_SIZE);
  if (!config) throw lacking(archive, item.config);
  const named = /^(?:blobs\/sha256\/|sha256:)?([0-9a-f]{64})(?:\.json)?$/.exec(item.config)?.[1];
  if (named) verifyBytes(config, { digest: `sha256:${named}` });
  const { diffIds } = decodeConfig(config);
  if (diffIds.length !== item.layers.length) {
    throw new ImagesError(
      'MANIFEST_INVALID',
      `the config has ${diffIds.length} diffIDs for ${item.layers.length} layers [${archive.label}]`,
    );
  }
  const layers = await createLimiter(AT_A_TIME).map(item.layers, (path, at) =>
    describeLayer(archive, path, diffIds[at] as Digest),
  );
  return assemble(config, layers);
}

/** Makes an OCI manifest for a config and its layers. Every destination accepts it, and in an OCI layout skopeo and umoci find no other. */
export function assemble(config: Uint8Array, layers: readonly ArchivedBlob[]): ArchivedImage {
  const configBlob: ArchivedBlob = {
    descriptor: { mediaType: OCI_CONFIG, size: config.length, digest: digestOf(config) },
    open: async (from) => oneChunk(config.subarray(from)),
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: configBlob.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  };
  return {
    manifest: rawManifest(Buffer.from(JSON.stringify(manifest))),
    blobs: new Map([configBlob, ...layers].map((blob) => [blob.descriptor.digest, blob])),
  };
}

/**
 * Describes a layer file as a blob. For an uncompressed file the digest is the diffID. For a compressed one it is the digest of the file: from its name in a
 * layout, else the file is hashed. Layers that no runtime pulls from a registry (xz, bzip2) are decompressed.
 */
export async function describeLayer(archive: ArchiveFile, path: string, diffId: Digest): Promise<LayerFile> {
  const file = archive.find(path);
  if (!file) throw lacking(archive, path);
  const compression = await archivedLayerCompression(archive, file);
  const open = (from: number) => archive.open(file.name, from);
  const mediaType = mediaTypeOf(compression);
  if (mediaType === undefined) {
    const plain = async (from: number) => skipped(decompressed(await open(0)), from);
    const { size } = await measure(await plain(0));
    return { descriptor: { mediaType: OCI_LAYER, size, digest: diffId }, open: plain };
  }
  if (compression === undefined) return { descriptor: { mediaType, size: file.size, digest: diffId }, open };
  const named = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(file.name)?.[1];
  const digest: Digest = named ? `sha256:${named}` : (await measure(await open(0))).digest;
  return { descriptor: { mediaType, size: file.size, digest }, open };
}

/** The compression of a layer file, recognised by its first bytes. */
export async function archivedLayerCompression(
  archive: ArchiveFile,
  file: ArchivedFile,
): Promise<Compression | undefined> {
  const { compression, body } = await peekCompression(await archive.open(file.name, 0));
  await body[Symbol.asyncIterator]().return?.();
  return compression;
}

/** The error for a missing file that the archive's own lists name. */
export function lacking(archive: ArchiveFile, path: string): ImagesError {
  const why = archive.why?.(path);
  const what = path === '' ? `a file that its list names ""` : path;
  return new ImagesError('BLOB_UNKNOWN', `the archive lacks ${what}${why ? `: ${why}` : ''} [${archive.label}]`, {
    hint: 'It is damaged or was not written to its end: make it again.',
  });
}

/** Returns `undefined` if there is no media type for the compression. */
function mediaTypeOf(compression: Compression | undefined): string | undefined {
  if (compression === undefined) return OCI_LAYER;
  return compression === 'gzip' ? OCI_LAYER_GZIP : compression === 'zstd' ? OCI_LAYER_ZSTD : undefined;
}
