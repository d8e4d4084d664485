// Compares the config of an image with its manifest, its index and the wanted platforms, before anything of it is copied. Nothing else does.
import { agreeingConfig, hasFileSystem, otherThanDiffIds } from '../oci/agreement.ts';
import type { ImageConfig } from '../oci/config.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import type { ImageManifest, RawManifest } from '../oci/manifest.ts';
import { isLayerType } from '../oci/media-types.ts';
import {
  formatPlatform,
  isImageFor,
  type Platform,
  type PlatformChoice,
  platformSuits,
  statesPlatform,
} from '../oci/platform.ts';

/** An image that is to be copied. */
export interface WalkedImage {
  readonly raw: RawManifest;
  readonly manifest: ImageManifest;
  /** The image's descriptor in its index; absent if it has no index. */
  readonly child?: Descriptor;
}

export interface AgreementOptions {
  /** The name as text, for messages. */
  readonly image: string;
  readonly platforms: PlatformChoice;
  /** Whether the user named the platforms. If not, an image for another platform is taken, with a note. */
  readonly platformsNamed: boolean;
  /** Digests of manifests that the destination has: they were checked when they were put there. */
  readonly checked: ReadonlySet<Digest>;
  config(image: WalkedImage): Promise<Uint8Array>;
  note(text: string): void;
}

/** Reads each config once. Errors: MANIFEST_INVALID, PLATFORM_UNKNOWN, those of `config`. */
export async function checkAgreement(images: readonly WalkedImage[], options: AgreementOptions): Promise<void> {
  await Promise.all(
    images.map(async (image) => {
      if (!hasFileSystem(image.manifest)) return;
      const single = image.child === undefined && options.platforms !== 'all';
      if (options.checked.has(image.raw.digest) && !(single && options.platformsNamed)) return;
      const config = agreeingConfig(image.manifest, await options.config(image));
      noteOddities(image, config, options);
      if (single && statesPlatform(config.platform)) checkPlatform(config.platform, options);
    }),
  );
}

function noteOddities({ manifest, child }: WalkedImage, config: ImageConfig, { image, note }: AgreementOptions): void {
  const files = manifest.layers.filter(({ mediaType }) => isLayerType(mediaType)).length;
  if (config.diffIds.length === 0 && files > 0)
    note(`${image}: its config has no diffIDs for ${files} layers: most runtimes cannot run it`);
  // A compressed layer whose media type says uncompressed causes the same mismatch. Some runtimes look at the bytes, so it is only a note.
  for (const digest of otherThanDiffIds(manifest, config))
    note(`${image}: its config has another diffID for the uncompressed layer ${digest}: most runtimes cannot run it`);
  const said = child?.platform;
  if (!said || !statesPlatform(said) || !statesPlatform(config.platform)) return;
  // Configs of old images leave out or mistake the variant.
  const [{ variant: _, ...index }, { variant: __, ...own }] = [said, config.platform];
  if (platformSuits(own, index) === 0)
    note(`${image}: its index says ${formatPlatform(said)}, the config of that image ${formatPlatform(own)}`);
}

/** Treats a single image like an index: if it suits none of the named platforms, it is an error. */
function checkPlatform(own: Platform, { image, platforms, platformsNamed, note }: AgreementOptions): void {
  if (platforms === 'all') return;
  const lacking = platforms.filter((wanted) => !isImageFor(own, wanted));
  if (lacking.length === 0) return;
  const wanted = lacking.map(formatPlatform).join(', ');
  if (lacking.length < platforms.length) note(`${image} is not there for ${wanted}`);
  else if (!platformsNamed) note(`${image} is for ${formatPlatform(own)}, not for ${wanted}`);
  else {
    throw new ImagesError(
      'PLATFORM_UNKNOWN',
      `${image} is not there for [${wanted}]: it is for ${formatPlatform(own)}`,
      {
        hint: 'There is no index from which one could be chosen: leave out --platform to take it as it is.',
      },
    );
  }
}

/** The name of a part of an image for messages: with its platform, because a digest alone is not readable. */
export function partOf(what: string, digest: Digest, platform?: Platform): string {
  return platform && statesPlatform(platform)
    ? `${what} ${digest} of ${formatPlatform(platform)}`
    : `${what} ${digest}`;
}
