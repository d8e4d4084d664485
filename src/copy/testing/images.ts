// Generated images for any registry, as values: what was pushed is compared with the copy.
import type { Bytes } from '../../io/streams/bytes.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf } from '../../oci/digest.ts';
import { manifestDescriptor, type RawManifest, rawManifest } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../oci/media-types.ts';
import { parsePlatform } from '../../oci/platform.ts';
import type { Registry } from '../../registry/contract.ts';

export interface MadeBlob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface MadeImage {
  readonly manifest: RawManifest;
  readonly blobs: readonly MadeBlob[];
  readonly children: readonly MadeImage[];
  readonly platform?: string;
}

export function makeBlob(content: string | Uint8Array, mediaType: string = OCI_LAYER_GZIP): MadeBlob {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}

export interface ImageParts {
  readonly layers: readonly MadeBlob[];
  /** `linux/amd64` when absent. */
  readonly platform?: string;
  /** Fields that differ in the config. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly subject?: RawManifest;
  readonly artifactType?: string;
}

export function makeImage({ layers, platform = 'linux/amd64', subject, artifactType, config }: ImageParts): MadeImage {
  const configBlob = makeBlob(
    JSON.stringify({
      ...parsePlatform(platform),
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.descriptor.digest) },
      ...config,
    }),
    OCI_CONFIG,
  );
  const manifest = json({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    ...(artifactType && { artifactType }),
    config: configBlob.descriptor,
    layers: layers.map((layer) => layer.descriptor),
    ...(subject && { subject: manifestDescriptor(subject) }),
  });
  return { manifest, blobs: [configBlob, ...layers], children: [], platform };
}

/** Children without a platform (nested indexes) are listed without one. */
export function makeIndex(children: readonly MadeImage[]): MadeImage {
  const manifests = children.map((child) => ({
    ...manifestDescriptor(child.manifest),
    ...(child.platform && { platform: platformFields(child.platform) }),
  }));
  return { manifest: json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }), blobs: [], children };
}

/** Pushes blobs, children, then the manifest with its tags. */
export async function push(registry: Registry, name: string, image: MadeImage): Promise<void> {
  const [repository, tag] = name.split(':') as [string, string | undefined];
  for (const blob of image.blobs) await registry.putBlob(repository, blob.descriptor, async () => bytesOf(blob.bytes));
  for (const child of image.children) await push(registry, repository, child);
  await registry.putManifest(repository, image.manifest, tag ? [tag] : []);
}

export async function* bytesOf(bytes: Uint8Array): Bytes {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.slice(at, at + 1000);
}

export async function readAll(body: Bytes): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(body));
}

function platformFields(text: string) {
  const [os, architecture, variant] = text.split('/');
  return { os, architecture, ...(variant && { variant }) };
}

function json(value: unknown): RawManifest {
  return rawManifest(Buffer.from(JSON.stringify(value)));
}
