// Images for tests, and an empty registry. Digests and sizes are computed from real bytes.
import { randomBytes } from 'node:crypto';
import type { Bytes } from '../../io/streams/bytes.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type DigestAlgorithm, digestOf } from '../../oci/digest.ts';
import { type RawManifest, rawManifest } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { Registry } from '../../registry/contract.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';

export function emptyRegistry(): Registry {
  return storedRegistry(memoryStore());
}

export interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export function blob(bytes: Uint8Array | string = randomBytes(1024), mediaType: string = OCI_LAYER): Blob {
  const content = Buffer.from(bytes);
  return { descriptor: { mediaType, digest: digestOf(content), size: content.length }, bytes: content };
}

export async function putBlob(registry: Registry, repository: string, content: Blob): Promise<void> {
  await registry.putBlob(repository, content.descriptor, async (from) => bytesOf(content.bytes.subarray(from)));
}

export interface Image {
  readonly manifest: RawManifest;
  readonly blobs: readonly Blob[];
}

export interface ImageOptions {
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly algorithm?: DigestAlgorithm;
}

/** An image of one layer of random bytes. */
export function image({ algorithm, ...fields }: ImageOptions = {}): Image {
  const layer = blob();
  const config = fields.artifactType
    ? blob('{}', OCI_EMPTY)
    : blob(
        JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } }),
        OCI_CONFIG,
      );
  const document = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: [layer.descriptor],
    ...fields,
  };
  return { manifest: rawManifest(json(document), OCI_MANIFEST, algorithm), blobs: [config, layer] };
}

export function index(manifests: readonly Descriptor[]): RawManifest {
  return rawManifest(json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
}

export async function putImage(registry: Registry, repository: string, tag: string, content = image()): Promise<Image> {
  for (const part of content.blobs) await putBlob(registry, repository, part);
  await registry.putManifest(repository, content.manifest, [tag]);
  return content;
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

async function* bytesOf(...chunks: readonly Uint8Array[]): Bytes {
  yield* chunks;
}
