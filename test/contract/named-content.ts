// The content for the contract suites of sources, and functions that write it without the product's own writers.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestHex } from '../../src/oci/digest.ts';
import { manifestDescriptor, type RawManifest, rawManifest } from '../../src/oci/manifest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import type { Reference } from '../../src/oci/reference.ts';
import { type Blob, blobOf, imageOf, indexOf, manifestOf } from './content.ts';

export interface NamedContent {
  readonly name: Reference;
  readonly root: RawManifest;
  /** The manifests in the root, if that is an index. */
  readonly children: readonly RawManifest[];
  /** Manifests whose subject is the root. */
  readonly referrers: readonly RawManifest[];
  /** Manifests with tags of their own, such as cosign's signatures. */
  readonly attached: readonly { readonly tag: string; readonly manifest: RawManifest }[];
  readonly blobs: readonly Blob[];
}

/** An index of two images, a referrer of it, and a signature under cosign's tag. */
export function indexContent(seed: string): NamedContent {
  const [a, b] = [imageOf(`${seed}-a`), imageOf(`${seed}-b`)];
  const root = indexOf([a.manifest, b.manifest]);
  const empty = blobOf(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json');
  const artifact = (name: string, fields: Readonly<Record<string, unknown>>) => {
    const layer = blobOf(Buffer.from(`${seed} ${name}`), 'text/plain');
    const manifest = manifestOf({
      mediaType: OCI_MANIFEST,
      config: empty.descriptor,
      layers: [layer.descriptor],
      ...fields,
    });
    return { layer, manifest };
  };
  const sbom = artifact('sbom', { artifactType: 'application/x.sbom', subject: manifestDescriptor(root) });
  const signature = artifact('signature', {});
  return {
    name: { host: 'quay.io', path: `${seed}/app`, tag: '1.2' },
    root,
    children: [a.manifest, b.manifest],
    referrers: [sbom.manifest],
    attached: [{ tag: `${root.digest.replace(':', '-')}.sig`, manifest: signature.manifest }],
    blobs: [a.config, ...a.layers, b.config, ...b.layers, empty, sbom.layer, signature.layer],
  };
}

/** One image with a config that Docker accepts. */
export function imageContent(seed: string): NamedContent {
  const { layers } = imageOf(seed);
  const config = blobOf(
    Buffer.from(
      JSON.stringify({
        os: 'linux',
        architecture: 'amd64',
        seed,
        rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.descriptor.digest) },
      }),
    ),
    OCI_CONFIG,
  );
  const root = manifestOf({
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: layers.map((layer) => layer.descriptor),
  });
  const name = { host: 'quay.io', path: `${seed}/app`, tag: '1.2' };
  return { name, root, children: [], referrers: [], attached: [], blobs: [config, ...layers] };
}

/** An OCI layout; files by path. */
export function layoutFiles(content: NamedContent): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const blob = (digest: Digest, bytes: Uint8Array) =>
    files.set(`blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`, bytes);
  const { root, children, referrers, attached } = content;
  for (const one of content.blobs) blob(one.descriptor.digest, one.bytes);
  for (const one of [root, ...children, ...referrers, ...attached.map(({ manifest }) => manifest)]) {
    blob(one.digest, one.bytes);
  }
  const entry = (manifest: RawManifest, refName?: string): Descriptor => ({
    ...manifestDescriptor(manifest),
    ...(refName && { annotations: { 'org.opencontainers.image.ref.name': refName } }),
  });
  const manifests = [
    entry(root, content.name.tag),
    ...referrers.map((manifest) => entry(manifest)),
    ...attached.map(({ tag, manifest }) => entry(manifest, tag)),
  ];
  files.set('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })));
  files.set('oci-layout', Buffer.from('{"imageLayoutVersion": "1.0.0"}'));
  return files;
}

/** A directory in skopeo's `dir:` form; files by path. */
export function dirFiles(content: NamedContent): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const one of content.blobs) files.set(digestHex(one.descriptor.digest), one.bytes);
  for (const one of [...content.children, ...content.referrers]) {
    files.set(`${digestHex(one.digest)}.manifest.json`, one.bytes);
  }
  files.set('manifest.json', content.root.bytes);
  files.set('version', Buffer.from('Directory Transport Version: 1.1\n'));
  return files;
}

export async function writeFiles(directory: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), bytes);
  }
}

/** The files of a layout with one image below `levels` nested indexes. Each index has the next one twice, so there are 2^levels paths to the image. */
export function nestedLayout(levels: number): readonly { readonly name: string; readonly data: Buffer }[] {
  const { root, blobs } = imageContent('nested');
  const manifests = [root];
  for (let level = 0; level < levels; level++) {
    const child = manifestDescriptor(manifests.at(-1) ?? root);
    const fields = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [child, child] };
    manifests.push(rawManifest(Buffer.from(JSON.stringify(fields))));
  }
  const parts = [...manifests, ...blobs.map(({ descriptor, bytes }) => ({ ...descriptor, bytes }))];
  const index = { schemaVersion: 2, manifests: [manifestDescriptor(manifests.at(-1) ?? root)] };
  return [
    ...parts.map(({ digest, bytes }) => ({ name: `blobs/sha256/${digestHex(digest)}`, data: Buffer.from(bytes) })),
    { name: 'oci-layout', data: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
    { name: 'index.json', data: Buffer.from(JSON.stringify(index)) },
  ];
}
