// The manifests of an archive that is being written. They are small and are written at the end. The writer tells which blobs are there.
import * as decode from '../../oci/decode.ts';
import type { Digest } from '../../oci/digest.ts';
import { decodeManifest, type RawManifest, successors } from '../../oci/manifest.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import { blobPath, INDEX_FILE, LAYOUT_FILE, LAYOUT_VERSION } from '../layout/layout-files.ts';
import { blobNotPut } from '../wrong-parts.ts';
import type { SmallFile } from './archive-format.ts';

export interface MemoryManifests {
  has(digest: Digest): boolean;
  /** Adds a manifest whose blobs must be there. Errors: MANIFEST_BLOB_UNKNOWN. */
  add(manifest: RawManifest): void;
  /** Adds a manifest unchecked. */
  put(manifest: RawManifest): void;
  /** The manifests with these digests and everything that they need. */
  below(digests: readonly Digest[]): { readonly raws: readonly RawManifest[]; readonly blobs: ReadonlySet<Digest> };
}

export function memoryManifests(writer: { has(digest: Digest): boolean }): MemoryManifests {
  const known = new Map<Digest, RawManifest>();
  return {
    has: (digest) => known.has(digest),
    add(manifest) {
      const absent = successors(decodeManifest(manifest)).blobs.find(({ digest }) => !writer.has(digest));
      if (absent) throw blobNotPut(absent.digest);
      known.set(manifest.digest, manifest);
    },
    put: (manifest) => {
      known.set(manifest.digest, manifest);
    },
    below(digests) {
      const raws = new Map<Digest, RawManifest>();
      const blobs = new Set<Digest>();
      const walk = (digest: Digest): void => {
        const raw = known.get(digest);
        if (!raw || raws.has(digest)) return;
        raws.set(digest, raw);
        const below = successors(decodeManifest(raw));
        for (const blob of below.blobs) blobs.add(blob.digest);
        for (const child of below.manifests) walk(child.digest);
      };
      for (const digest of digests) walk(digest);
      return { raws: [...raws.values()], blobs };
    },
  };
}

const NEW_INDEX: decode.Json = { schemaVersion: 2, mediaType: OCI_INDEX };

/** The files that make an archive of blobs a layout, in an order that depends only on the content. `index` gives the other fields of index.json. */
export function layoutSmallFiles(
  raws: readonly RawManifest[],
  entries: readonly unknown[],
  index: decode.Json = NEW_INDEX,
): readonly SmallFile[] {
  const manifests = raws.map((raw) => ({ path: blobPath(raw.digest), bytes: raw.bytes }));
  return [
    ...manifests.sort((a, b) => (a.path < b.path ? -1 : 1)),
    { path: INDEX_FILE, bytes: Buffer.from(JSON.stringify({ ...index, manifests: entries.toSorted(byNames) })) },
    { path: LAYOUT_FILE, bytes: Buffer.from(LAYOUT_VERSION) },
  ];
}

function byNames(a: unknown, b: unknown): number {
  const [one = '', other = ''] = [a, b].map((entry) => {
    const { annotations = {}, digest } = decode.isObject(entry) ? entry : {};
    return `${JSON.stringify(annotations)} ${digest}`;
  });
  return one < other ? -1 : 1;
}
