// Streams images as an oci-archive without writing a file: to a program that reads it from its standard input.
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import type { Digest } from '../../oci/digest.ts';
import { decodeManifest, type RawManifest, successors } from '../../oci/manifest.ts';
import type { Reference } from '../../oci/reference.ts';
import type { ImageSource } from '../contract.ts';
import { layoutEntries, layoutEntry } from '../layout/layout-entry.ts';
import { END, smallFileBytes } from './archive-format.ts';
import { layoutSmallFiles } from './memory-manifests.ts';
import { inDigestOrder, type OpenBlob, streamedArchive } from './streamed-archive.ts';

export interface ImageToStream {
  readonly name: Reference;
  /** The manifest of one platform. */
  readonly manifest: RawManifest;
  readonly source: ImageSource;
  /** Of its entry, beside its names. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The archive that an oci-archive sink would write of these images, in another order. Errors while it is read: the sources', DIGEST_INVALID, SIZE_INVALID. */
export function ociArchiveStream(images: readonly ImageToStream[], call?: CallOptions): Bytes {
  const blobs = new Map<Digest, OpenBlob>();
  const entries = layoutEntries([]);
  for (const { name, manifest, source, annotations } of images) {
    for (const blob of successors(decodeManifest(manifest)).blobs)
      blobs.set(blob.digest, { blob, open: (options) => source.blob(blob, 0, options) });
    entries.put(layoutEntry(manifest, { name, ...(annotations && { annotations }) }));
  }
  const raws = [...new Map(images.map(({ manifest }) => [manifest.digest, manifest])).values()];
  const small = layoutSmallFiles(raws, entries.list()).map(smallFileBytes);
  return streamedArchive(inDigestOrder(blobs.values()), Buffer.concat([...small, END]), call);
}
