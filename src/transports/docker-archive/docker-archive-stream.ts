// Streams images as a docker-archive without writing a file: to standard output, or as an entry of another archive, whose header needs the size first. The
// bytes are equal to those that the sink writes.
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import { verified } from '../../io/streams/verify.ts';
import type { Digest } from '../../oci/digest.ts';
import { decodeManifest, type RawManifest, successors } from '../../oci/manifest.ts';
import type { Reference } from '../../oci/reference.ts';
import { END, paddedSize, smallFileBytes } from '../archive/archive-format.ts';
import { layoutSmallFiles } from '../archive/memory-manifests.ts';
import { blobHeader, inDigestOrder, type OpenBlob, streamedArchive } from '../archive/streamed-archive.ts';
import type { ImageSource } from '../contract.ts';
import { layoutEntries } from '../layout/layout-entry.ts';
import { dockerEntry, dockerManifestFiles, requireDockerImage } from './docker-manifest.ts';
import { type PlainLayer, saysUnreadable, unpackLayer, withPlainLayers } from './plain-layers.ts';

export interface ImageToSave {
  readonly names: readonly Reference[];
  /** The manifest of one platform: a plan's `instead ?? root`. */
  readonly manifest: RawManifest;
  readonly source: ImageSource;
}

/** Disposing removes the decompressed layers. */
export interface PlannedArchive extends AsyncDisposable {
  /** In bytes. */
  readonly size: number;
  /** Can be read several times. Errors: the sources', DIGEST_INVALID, SIZE_INVALID. */
  bytes(options?: CallOptions): Bytes;
}

export interface PlanArchiveOptions extends CallOptions {
  /** The directory for layers that are decompressed because Docker cannot read them. */
  readonly temporaryDirectory: string;
}

/** Reads only the layers that have to be decompressed. Errors: MANIFEST_INVALID (an index), UNSUPPORTED (foreign layers), the sources'. */
export async function planDockerArchive(
  images: readonly ImageToSave[],
  options: PlanArchiveOptions,
): Promise<PlannedArchive> {
  const blobs = new Map<Digest, OpenBlob>();
  const plain = new Map<Digest, PlainLayer>();
  const free = async () => {
    for (const layer of plain.values()) await layer[Symbol.asyncDispose]();
  };
  try {
    const saved: (ImageToSave & { readonly manifest: RawManifest })[] = [];
    for (const image of images) {
      requireDockerImage(image.manifest);
      for (const blob of successors(decodeManifest(image.manifest)).blobs) {
        if (!saysUnreadable(blob.mediaType)) {
          if (!blobs.has(blob.digest))
            blobs.set(blob.digest, { blob, open: (call) => image.source.blob(blob, 0, call) });
        } else if (!plain.has(blob.digest)) {
          const body = verified(await image.source.blob(blob, 0, options), blob);
          plain.set(blob.digest, await unpackLayer(blob, body, options.temporaryDirectory));
        }
      }
      const descriptors = new Map([...plain].map(([digest, { descriptor }]) => [digest, descriptor]));
      saved.push({ ...image, manifest: withPlainLayers(image.manifest, descriptors) });
    }
    const files = smallFiles(saved);
    const unpacked = [...plain.values()].map(({ descriptor, open }) => ({ blob: descriptor, open: () => open(0) }));
    const parts = [
      ...inDigestOrder(blobs.values()),
      ...inDigestOrder(unpacked.filter(({ blob }) => !blobs.has(blob.digest))),
    ];
    const small = Buffer.concat([...files, END]);
    const size = parts.reduce((sum, { blob }) => sum + blobHeader(blob).length + paddedSize(blob.size), small.length);
    return { size, bytes: (call) => streamedArchive(parts, small, call), [Symbol.asyncDispose]: free };
  } catch (error) {
    await free();
    throw error;
  }
}

function smallFiles(images: readonly ImageToSave[]): readonly Uint8Array[] {
  const entries = layoutEntries([]);
  for (const { names, manifest } of images) {
    for (const name of names.length > 0 ? names : [undefined]) {
      entries.put(dockerEntry(manifest, name));
    }
  }
  const raws = [...new Map(images.map(({ manifest }) => [manifest.digest, manifest])).values()];
  return [...layoutSmallFiles(raws, entries.list()), ...dockerManifestFiles(images)].map(smallFileBytes);
}
