// An archive of an OCI layout as a sink. Other images in it are kept, as in a directory.
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { decodeManifest } from '../../oci/manifest.ts';
import type { ImageSink } from '../contract.ts';
import { type LayoutEntries, layoutEntries, layoutEntry } from '../layout/layout-entry.ts';
import type { LayoutSinkOptions } from '../layout/layout-sink.ts';
import { growingArchive } from './growing-archive.ts';

export interface OciArchiveSinkOptions extends LayoutSinkOptions {
  /** Whether the archive is replaced: it then holds only these images. */
  readonly replaces?: boolean;
  /** `none`: instead of an index, the image of the platform that is wanted. Default: `sparse`. */
  readonly indexes?: 'sparse' | 'none';
  /** The directory in which an archive for a device or a pipe is put together. */
  readonly temporaryDirectory: string;
}

/**
 * `oci-archive:FILE[:REF]`. FILE does not change before the sink is finished, and not at all without an image. Errors of `missing` and `missingManifests`:
 * LOCATION_INVALID if FILE is something else.
 */
export function ociArchiveSink(path: string, options: OciArchiveSinkOptions): ImageSink {
  const archive = growingArchive(path, {
    label: `oci-archive:${path}`,
    temporaryDirectory: options.temporaryDirectory,
    replaces: options.replaces ?? false,
  });
  const { manifests } = archive;
  let entries: LayoutEntries | undefined;

  const list = async (entry: Descriptor): Promise<void> => {
    const kept = await archive.kept();
    entries ??= layoutEntries(kept?.entries ?? []);
    entries.put(entry, options.ref);
  };

  const missing: ImageSink['missing'] = async (_, blobs, call) => {
    await archive.kept(call);
    archive.expect(blobs);
    return new Map(blobs.filter(({ digest }) => !archive.has(digest)).map(({ digest }) => [digest, 0]));
  };

  return {
    label: `oci-archive:${path}${options.ref === undefined ? '' : `:${options.ref}`}`,
    wants: { layers: 'as-is', indexes: options.indexes ?? 'sparse', order: 'planned' },
    missing,
    async missingManifests(_, wanted, call?: CallOptions) {
      await archive.kept(call);
      return new Set<Digest>(wanted.filter(({ digest }) => !manifests.has(digest)).map(({ digest }) => digest));
    },
    async putBlob(_, blob, open, call) {
      await archive.kept(call);
      if (!archive.has(blob.digest)) await archive.putBlob(blob, open, call);
    },
    mountBlob: async (_, blob) => archive.has(blob.digest),
    async putManifest(_, manifest) {
      manifests.add(manifest);
      if (decodeManifest(manifest).subject) await list(layoutEntry(manifest, {}));
    },
    async commit(name, root) {
      manifests.add(root);
      const annotations = options.annotate?.(name);
      const ref = options.ref === undefined ? {} : { ref: options.ref };
      await list(layoutEntry(root, { name, ...ref, ...(annotations && { annotations }) }));
    },
    async finish(call) {
      if (entries) await archive.finish(entries.list(), { ...call });
    },
    [Symbol.asyncDispose]: archive[Symbol.asyncDispose],
  };
}
