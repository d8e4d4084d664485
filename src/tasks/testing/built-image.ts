// An image that counts as built here: its blobs in the store without a repository, and the name that `mkimage` records.
import type { FixtureImage } from '../../../test/fixtures/image.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import type { Digest } from '../../oci/digest.ts';
import { rawManifest } from '../../oci/manifest.ts';
import { parseReference } from '../../oci/reference.ts';
import { builtImages } from '../../storage/builds/built-images.ts';
import { looseBlobs } from '../../storage/builds/loose-blobs.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';

/** Returns the digest of its manifest. */
export async function putBuilt(store: EmbeddedStore, name: string, image: FixtureImage): Promise<Digest> {
  for (const { mediaType, digest, bytes } of image.blobs) {
    const descriptor = { mediaType, digest: digest as Digest, size: bytes.length };
    await looseBlobs(store.blobs).put(descriptor, async () => oneChunk(bytes));
  }
  const manifest = rawManifest(image.manifest.bytes, image.manifest.mediaType);
  await builtImages(store).record(parseReference(name), manifest);
  return manifest.digest;
}
