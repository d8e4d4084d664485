// What containerd's content has beside the bytes of layers: manifests and configs, and the labels that keep content and snapshots alive. Pure.
import type { Digest } from '../../oci/digest.ts';
import { decodeManifest } from '../../oci/manifest.ts';
import { type ContainerdImage, criNames, sourceLabels } from './containerd-images.ts';
import type { BlobRecord, ImageNameRecord, Labels } from './containerd-records.ts';

export interface SmallContent {
  readonly names: readonly ImageNameRecord[];
  readonly blobs: readonly BlobRecord[];
  readonly files: readonly { readonly digest: Digest; readonly bytes: Uint8Array }[];
}

/** For an image whose config states no valid time. */
const UNKNOWN_TIME = 1000;

export function smallContent(images: readonly ContainerdImage[], withLayers: boolean): SmallContent {
  const files = new Map<Digest, Uint8Array>();
  const blobs = new Map<Digest, BlobRecord>();
  const sources = new Map<Digest, Set<string>>();
  const names = new Map<string, ImageNameRecord>();
  for (const one of images) {
    const { image, target } = one;
    const note = (digest: Digest, size: number, labels: Labels): void => {
      const known = sources.get(digest) ?? new Set();
      for (const name of one.names) known.add(name);
      sources.set(digest, known);
      blobs.set(digest, { digest, size, labels: { ...blobs.get(digest)?.labels, ...labels } });
    };
    const { config, layers } = image.manifest;
    if (target !== image.raw) {
      files.set(target.digest, target.bytes);
      note(target.digest, target.size, childLabels(target));
    }
    files.set(image.raw.digest, image.raw.bytes);
    note(image.raw.digest, image.raw.size, {
      'containerd.io/gc.ref.content.config': config.digest,
      ...(withLayers && numbered('l', layers)),
    });
    files.set(config.digest, image.configBytes);
    const top = one.chain.at(-1);
    // Only this keeps the snapshots.
    note(config.digest, image.configBytes.length, top ? { 'containerd.io/gc.ref.snapshot.overlayfs': top } : {});
    for (const { descriptor, diffId } of withLayers ? image.layers : []) {
      note(descriptor.digest, descriptor.size, diffId ? { 'containerd.io/uncompressed': diffId } : {});
    }
    const { digest, mediaType, size } = target;
    const created = createdAt(image.config.created);
    for (const name of criNames(one)) {
      if (!names.has(name)) names.set(name, { name, target: { digest, mediaType, size }, created });
    }
  }
  return {
    names: [...names.values()],
    blobs: [...blobs.values()].map((blob) => ({
      ...blob,
      labels: { ...blob.labels, ...sourceLabels([...(sources.get(blob.digest) ?? [])]) },
    })),
    files: [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([digest, bytes]) => ({ digest, bytes })),
  };
}

function childLabels(target: ContainerdImage['target']): Labels {
  const manifest = decodeManifest(target);
  return manifest.kind === 'index' ? numbered('m', manifest.manifests) : {};
}

function numbered(letter: 'l' | 'm', children: readonly { readonly digest: Digest }[]): Labels {
  return Object.fromEntries(children.map(({ digest }, at) => [`containerd.io/gc.ref.content.${letter}.${at}`, digest]));
}

/** In milliseconds. Go's times reach further than what is sensible here. */
function createdAt(created: string | undefined): number {
  const time = created === undefined ? Number.NaN : Date.parse(created);
  return Number.isFinite(time) && time > 0 ? time : UNKNOWN_TIME;
}
