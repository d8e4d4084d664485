// An OCI layout in a directory as a sink (OCI image specification 1.1, image-layout.md). Other images in it are kept.
import { join } from 'node:path';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { acquireLock } from '../../io/files/lock.ts';
import * as decode from '../../oci/decode.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { decodeManifest, type RawManifest } from '../../oci/manifest.ts';
import type { Reference } from '../../oci/reference.ts';
import { blobFolder } from '../blob-folder.ts';
import type { ImageSink } from '../contract.ts';
import { layoutEntries, layoutEntry } from './layout-entry.ts';
import { blobPath, INDEX_FILE, LAYOUT_FILE, LAYOUT_VERSION } from './layout-files.ts';

export interface LayoutSinkOptions {
  /** The REF of `oci:DIR:REF`: the name of the image in the layout. When absent, its tag and its full name. */
  readonly ref?: string;
  /** Annotations of an image in index.json, in addition to its names. */
  readonly annotate?: (name: Reference) => Readonly<Record<string, string>>;
}

/** `oci:DIR[:REF]`; creates the directory. index.json is replaced atomically and under a lock, once for each image. */
export function ociSink(directory: string, options: LayoutSinkOptions = {}): ImageSink {
  const folder = blobFolder({ directory, blobKey: blobPath, manifestKey: blobPath });
  const label = `oci:${directory}${options.ref === undefined ? '' : `:${options.ref}`}`;

  const list = async (entry: Descriptor): Promise<void> => {
    await using _lock = await translatingFsErrors(directory, () => acquireLock(join(directory, '.index.json.lock')));
    const layout = await folder.read(LAYOUT_FILE);
    if (!layout) await folder.putFile(LAYOUT_FILE, Buffer.from(LAYOUT_VERSION));
    const index = decodeIndex(await folder.read(INDEX_FILE), label);
    const entries = layoutEntries(decode.array(index.manifests ?? [], 'index.json.manifests'));
    entries.put(entry, options.ref);
    await folder.putFile(INDEX_FILE, Buffer.from(JSON.stringify({ ...index, manifests: entries.list() })));
  };

  return {
    label,
    wants: { layers: 'as-is', indexes: 'sparse', order: 'any' },
    missing: (_, blobs, call) => folder.missing(blobs, call),
    missingManifests: (_, manifests, call) => folder.missingManifests(manifests, call),
    putBlob: (_, blob, open, call) => folder.putBlob(blob, open, call),
    mountBlob: (_, blob, _from, call) => folder.has(blob, call),
    async putManifest(_, manifest) {
      await folder.putManifest(manifest);
      // Referrers are found only if index.json lists them.
      if (decodeManifest(manifest).subject) await list(layoutEntry(manifest, {}));
    },
    async commit(name: Reference, root: RawManifest) {
      await folder.putManifest(root);
      await list(layoutEntry(root, { name, ...(options.ref !== undefined && { ref: options.ref }) }));
    },
    finish: () => folder.tidy(),
    [Symbol.asyncDispose]: () => folder.tidy(),
  };
}

function decodeIndex(bytes: Uint8Array | undefined, label: string): decode.Json {
  if (!bytes) return { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json' };
  try {
    return decode.object(decode.parseJson(bytes, INDEX_FILE), INDEX_FILE);
  } catch (error) {
    if (!isImagesError(error)) throw error;
    throw new ImagesError('LOCATION_INVALID', `${error.message} [${label}]`, {
      hint: 'The layout is damaged: name another directory.',
      cause: error,
    });
  }
}
