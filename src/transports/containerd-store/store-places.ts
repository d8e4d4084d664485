// Where things are in containerd's root directory, with the modes that containerd gives them. Pure.
import { type Digest, digestAlgorithm, digestHex } from '../../oci/digest.ts';
import { directoryEntry } from '../store-entries.ts';

/** containerd's default root, without the leading slash. k3s has `var/lib/rancher/k3s/agent/containerd`. */
export const CONTAINERD_ROOT = 'var/lib/containerd';
/** The namespace of CRI. */
export const NAMESPACE = 'k8s.io';
/** Where all VMs mount the store that they share. */
export const SHARED_AT = '/usr/lib/images/containerd';
/** In the shared store: the archive of what each VM has of its own. */
export const OWN_PART = 'containerd.tar';

const CONTENT = 'io.containerd.content.v1.content';
const SNAPSHOTTER = 'io.containerd.snapshotter.v1.overlayfs';
const METADATA = 'io.containerd.metadata.v1.bolt';

export const META_DB = `${METADATA}/meta.db`;
export const SNAPSHOTS_DB = `${SNAPSHOTTER}/metadata.db`;
export const SNAPSHOTS = `${SNAPSHOTTER}/snapshots`;

/** Below containerd's root. */
export function snapshotPlace(id: number): string {
  return `${SNAPSHOTS}/${id}`;
}

export function blobPlace(digest: Digest): string {
  return `${CONTENT}/blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/** In the shared store, below its root. Not `blobs`, by which layouts of images are recognised. */
export function sharedSnapshot(id: number): string {
  return `snapshots/${id}`;
}

export function sharedBlob(digest: Digest): string {
  return `content/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/** `root` is empty or ends with `/`. */
export function containerdDirectories(root: string): readonly Uint8Array[] {
  const parts = root.split('/').slice(0, -1);
  const above = parts.map((_, at) => parts.slice(0, at + 1).join('/'));
  const own: readonly (readonly [string, number])[] = [
    [CONTENT, 0o755],
    [`${CONTENT}/blobs`, 0o755],
    [`${CONTENT}/blobs/sha256`, 0o755],
    [`${CONTENT}/ingest`, 0o755],
    [METADATA, 0o711],
    [SNAPSHOTTER, 0o700],
    [SNAPSHOTS, 0o700],
  ];
  return [
    ...above.map((path) => directoryEntry(path, `${path}/` === root ? 0o711 : 0o755)),
    ...own.map(([path, mode]) => directoryEntry(`${root}${path}`, mode)),
  ];
}
