// An archive of an OCI layout as a sink: it replaces what is there, as skopeo's does.
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { decodeManifest, type RawManifest } from '../../oci/manifest.ts';
import type { ImageSink } from '../contract.ts';
import { layoutEntry, withEntry } from '../layout/layout-entry.ts';
import type { LayoutSinkOptions } from '../layout/layout-sink.ts';
import { archiveWriter } from './archive-writer.ts';
import { layoutSmallFiles, memoryManifests } from './memory-manifests.ts';

/** `oci-archive:FILE[:REF]`. FILE is there when the sink is finished; without an image nothing is written. */
export function ociArchiveSink(path: string, options: LayoutSinkOptions = {}): ImageSink {
  const writer = archiveWriter(path);
  const manifests = memoryManifests(writer);
  let entries: readonly Descriptor[] = [];
  const list = (entry: Descriptor): void => {
    entries = withEntry(entries, entry, options.ref) as readonly Descriptor[];
  };
  return {
    label: `oci-archive:${path}${options.ref === undefined ? '' : `:${options.ref}`}`,
    wants: { layers: 'as-is', indexes: 'sparse', order: 'planned' },
    missing: async (_, blobs) => {
      writer.expect(blobs);
      return new Map(blobs.filter(({ digest }) => !writer.has(digest)).map(({ digest }) => [digest, 0]));
    },
    missingManifests: async (_, wanted) =>
      new Set<Digest>(wanted.filter(({ digest }) => !manifests.has(digest)).map(({ digest }) => digest)),
    putBlob: (_, blob, open, call) => writer.putBlob(blob, open, call),
    mountBlob: async (_, blob) => writer.has(blob.digest),
    async putManifest(_, manifest) {
      manifests.add(manifest);
      if (decodeManifest(manifest).subject) list(layoutEntry(manifest, {}));
    },
    async commit(name, root: RawManifest) {
      manifests.add(root);
      const annotations = options.annotate?.(name);
      list(
        layoutEntry(root, {
          name,
          ...(options.ref !== undefined && { ref: options.ref }),
          ...(annotations && { annotations }),
        }),
      );
    },
    async finish() {
      if (entries.length === 0) return;
      const { blobs, raws } = manifests.below(entries.map(({ digest }) => digest));
      await writer.finish(blobs, layoutSmallFiles(raws, entries));
    },
    [Symbol.asyncDispose]: writer[Symbol.asyncDispose],
  };
}
