// Small blobs, manifests and images for the contract suites. They depend on a seed.
import type { Bytes, OpenContent } from '../../src/io/streams/bytes.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { type DigestAlgorithm, digestOf } from '../../src/oci/digest.ts';
import { type RawManifest, rawManifest } from '../../src/oci/manifest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import type { Registry } from '../../src/registry/contract.ts';

export interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

export interface Image {
  readonly manifest: RawManifest;
  readonly config: Blob;
  readonly layers: readonly Blob[];
}

export async function collect(body: Bytes): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(body));
}

export async function* chunked(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  // Copies, because a consumer may keep a chunk.
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

/** Bytes that depend on the seed. */
export function bytesOf(seed: string, size: number): Buffer {
  const unit = Buffer.from(`${seed}|${digestOf(Buffer.from(seed))}|`);
  return Buffer.concat(Array.from({ length: Math.ceil(size / unit.length) }, () => unit)).subarray(0, size);
}

export function blobOf(bytes: Buffer, mediaType = OCI_LAYER_GZIP, algorithm: DigestAlgorithm = 'sha256'): Blob {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes, algorithm), size: bytes.length } };
}

/** Opens the content at any offset. The requested offsets are added to `asked`. */
export function opener(bytes: Buffer, asked: number[] = []): OpenContent {
  return async (from) => {
    asked.push(from);
    return chunked(bytes.subarray(from));
  };
}

/** Opens content that breaks off with an error after `count` bytes. */
export function breakingOpener(bytes: Buffer, count: number): OpenContent {
  return async (from) =>
    (async function* () {
      yield* chunked(bytes.subarray(from, from + count));
      throw new Error('connection reset');
    })();
}

export function manifestOf(fields: Readonly<Record<string, unknown>>, algorithm?: DigestAlgorithm): RawManifest {
  return rawManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, ...fields })), undefined, algorithm);
}

/** An image whose layers depend on the seed. `fields` are added to its manifest. */
export function imageOf(
  seed: string,
  fields: Readonly<Record<string, unknown>> = {},
  algorithm: DigestAlgorithm = 'sha256',
): Image {
  const layers = ['a', 'b'].map((name) => blobOf(bytesOf(`${seed}-${name}`, 1000), OCI_LAYER_GZIP, algorithm));
  const config = blobOf(
    Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', seed })),
    OCI_CONFIG,
    algorithm,
  );
  const manifest = manifestOf(
    {
      mediaType: OCI_MANIFEST,
      config: config.descriptor,
      layers: layers.map((layer) => layer.descriptor),
      ...fields,
    },
    algorithm,
  );
  return { manifest, config, layers };
}

export function indexOf(children: readonly RawManifest[], fields: Readonly<Record<string, unknown>> = {}): RawManifest {
  const manifests = children.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  return manifestOf({ mediaType: OCI_INDEX, manifests, ...fields });
}

export async function pushImage(
  registry: Registry,
  repository: string,
  image: Image,
  tags: readonly string[] = [],
): Promise<void> {
  for (const blob of [image.config, ...image.layers]) {
    await registry.putBlob(repository, blob.descriptor, opener(blob.bytes));
  }
  await registry.putManifest(repository, image.manifest, tags);
}
