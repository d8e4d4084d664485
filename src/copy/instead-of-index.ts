// What is tagged instead of an index that the destination cannot hold.
import * as decode from '../oci/decode.ts';
import { ImagesError } from '../oci/errors.ts';
import { decodeManifest, type RawManifest, rawManifest } from '../oci/manifest.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';
import type { ImageSink } from '../transports/contract.ts';
import type { WalkedImage } from './check-images.ts';
import { asItStands } from './failure.ts';

/**
 * The one image, or an index of the images if there are several, so that the tag leads to all of them. Errors: UNSUPPORTED if there are several and the sink
 * holds no indexes.
 */
export function insteadOf(root: RawManifest, images: readonly WalkedImage[], sink: ImageSink): RawManifest | undefined {
  const [only, ...others] = new Map(images.map((image) => [image.raw.digest, image])).values();
  if (!only || others.length === 0) return only?.raw;
  if (sink.wants.indexes === 'none')
    throw noIndexes(
      sink.label,
      images.flatMap(({ child }) => child?.platform ?? []),
    );
  const fields = decode.object(decode.parseJson(root.bytes, 'index'), 'index');
  const manifests = images.map(({ child }) => child);
  return rawManifest(Buffer.from(JSON.stringify({ ...fields, manifests })), root.mediaType);
}

/** The error for several images at a sink that holds no indexes: the user has to choose one. */
export function noIndexes(label: string, platforms: readonly Platform[]): ImagesError {
  const names = [...new Set(platforms.map(formatPlatform))];
  const choice = names.length > 0 ? `Choose with --platform: ${names.join(', ')}. ` : '';
  return asItStands(
    new ImagesError('UNSUPPORTED', `it holds images for one platform, no indexes [${label}]`, {
      hint: `${choice}An oci-archive: holds all of them.`,
    }),
  );
}

/** The platforms of an image or index that is tagged instead of the root, for messages. */
export function platformsIn(raw: RawManifest): string {
  const manifest = decodeManifest(raw);
  if (manifest.kind === 'image') return 'one platform';
  return manifest.manifests.flatMap(({ platform }) => (platform ? [formatPlatform(platform)] : [])).join(', ');
}
