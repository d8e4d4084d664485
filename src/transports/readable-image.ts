// One image of a source for reading: its manifest chosen by platform, its config and its layers.
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import { readSmallBlob } from '../io/streams/small-blob.ts';
import { stoppable } from '../io/streams/stoppable.ts';
import { verified } from '../io/streams/verify.ts';
import { agreeingConfig, hasFileSystem, layerDiffIds } from '../oci/agreement.ts';
import { decodeConfig, type ImageConfig } from '../oci/config.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { decodeManifest, type ImageManifest, type Index, isElsewhere, type RawManifest } from '../oci/manifest.ts';
import { formatPlatform, isImageFor, type Platform, platformSuits, statesPlatform } from '../oci/platform.ts';
import type { IndexStore, Layer } from '../rootfs/contract.ts';
import type { ImageSource } from './contract.ts';

export interface ReadableImage {
  /** For messages. */
  readonly label: string;
  /** The manifest or index to which the name points. */
  readonly root: RawManifest;
  /** The manifest of the image: the root, or a child of the root if that is an index. */
  readonly raw: RawManifest;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  /** The layers, the base first. */
  readonly layers: readonly Layer[];
}

export interface ReadImageOptions extends CallOptions {
  /** The required platform. */
  readonly platform?: Platform;
  /** An image without an index is accepted for any platform; the caller reports which it is. */
  readonly anySingle?: boolean;
  /** The platform taken from an index if `platform` is absent. If the index lacks it, the first image that is there. */
  readonly machine: Platform;
  /** Storage for the indexes of layers. */
  readonly indexOf?: (digest: Digest) => IndexStore;
}

/** The source stays the caller's. Errors: PLATFORM_UNKNOWN, MANIFEST_INVALID, UNSUPPORTED, the source's. */
export async function readImage(source: ImageSource, options: ReadImageOptions): Promise<ReadableImage> {
  const root = await source.root(options);
  const raw = await chooseImage(source, root, options);
  const manifest = decodeManifest(raw);
  if (manifest.kind !== 'image') throw new Error('an image was chosen that is none');
  const { config, bytes: configBytes } = await readConfig(source, manifest, options);
  if (options.platform && raw === root && !options.anySingle) requirePlatform(config, options.platform, source.label);
  const diffIds = layerDiffIds(manifest, config);
  const layers = manifest.layers.map((descriptor, at): Layer => {
    const diffId = diffIds[at];
    const index = options.indexOf?.(descriptor.digest);
    const open: Layer['open'] = (call = {}) => openLayer(source, descriptor, { ...options, ...call });
    const settle: Layer['settle'] = async (call) => readWhole(await open(call));
    return {
      descriptor,
      ...(diffId && { diffId }),
      open,
      ...(source.unverified && { settle }),
      ...(index && { index }),
    };
  });
  return { label: source.label, root, raw, manifest, config, configBytes, layers };
}

/** Checks an image without an index. One that states no platform suits all. Errors: PLATFORM_UNKNOWN. */
export function requirePlatform({ platform: own }: ImageConfig, wanted: Platform, label: string): void {
  if (!statesPlatform(own) || isImageFor(own, wanted)) return;
  throw new ImagesError(
    'PLATFORM_UNKNOWN',
    `it is for ${formatPlatform(own)}, not for ${formatPlatform(wanted)} [${label}]`,
    { hint: 'There is no index from which one could be chosen: leave out --platform to take it as it is.' },
  );
}

const CHECK = '`images check` tells more.';

export interface ReadConfig {
  readonly config: ImageConfig;
  readonly bytes: Uint8Array;
}

/** Errors: MANIFEST_INVALID if config and manifest of the image disagree; those of the source. */
export async function readConfig(
  source: ImageSource,
  manifest: ImageManifest,
  options: CallOptions = {},
): Promise<ReadConfig> {
  try {
    const bytes = await readSmallBlob(manifest.config, () => source.blob(manifest.config, 0, options));
    return { bytes, config: hasFileSystem(manifest) ? agreeingConfig(manifest, bytes) : decodeConfig(bytes) };
  } catch (error) {
    if (!isImagesError(error, 'MANIFEST_INVALID')) throw error;
    throw new ImagesError('MANIFEST_INVALID', `${error.message} [${source.label}]`, { hint: CHECK, cause: error });
  }
}

/** The image of an index that suits best and exists: a sparse index lacks some. Errors: PLATFORM_UNKNOWN, the source's. */
export async function chooseImage(
  source: ImageSource,
  raw: RawManifest,
  options: ReadImageOptions,
): Promise<RawManifest> {
  return await chosenImage(source, raw, options, new Set());
}

/** Indexes may name one child many times, and each other: what was looked at is in `seen`. */
async function chosenImage(
  source: ImageSource,
  raw: RawManifest,
  options: ReadImageOptions,
  seen: Set<Digest>,
): Promise<RawManifest> {
  const manifest = decodeManifest(raw);
  if (manifest.kind === 'image') return raw;
  let absent: unknown;
  for (const child of candidates(manifest, options)) {
    if (seen.has(child.digest)) continue;
    seen.add(child.digest);
    try {
      return await chosenImage(source, await source.manifest(child, options), options, seen);
    } catch (error) {
      if (!isImagesError(error, 'MANIFEST_UNKNOWN', 'PLATFORM_UNKNOWN')) throw error;
      absent ??= error;
    }
  }
  const offered = manifest.manifests.flatMap(({ platform }) => (platform ? [formatPlatform(platform)] : []));
  const wanted = options.platform ? ` for ${formatPlatform(options.platform)}` : '';
  throw new ImagesError('PLATFORM_UNKNOWN', `no image of it is there${wanted} [${source.label}]`, {
    hint: offered.length > 0 ? `Its index names ${[...new Set(offered)].join(', ')}.` : 'Its index names none.',
    cause: absent,
  });
}

function candidates({ manifests }: Index, { platform, machine }: ReadImageOptions): readonly Descriptor[] {
  const suits = (child: Descriptor) => (child.platform ? platformSuits(child.platform, platform ?? machine) : 0);
  const sorted = manifests.toSorted((a, b) => suits(b) - suits(a));
  const possible = platform ? sorted.filter((child) => !child.platform || suits(child) > 0) : sorted;
  // Attestations are not images.
  return possible.filter((child) => child.platform?.os !== 'unknown');
}

async function readWhole(body: Bytes): Promise<void> {
  for await (const _ of body);
}

async function openLayer(
  source: ImageSource,
  descriptor: Descriptor,
  { unverified, ...options }: CallOptions & { readonly unverified?: boolean },
): Promise<Bytes> {
  try {
    const withoutHash = unverified ? source.unverified : undefined;
    const body = withoutHash
      ? await withoutHash(descriptor, options)
      : verified(await source.blob(descriptor, 0, options), descriptor);
    return stoppable(body, options.signal);
  } catch (error) {
    if (!isElsewhere(descriptor) || !isImagesError(error, 'BLOB_UNKNOWN')) throw error;
    throw new ImagesError('BLOB_UNKNOWN', `a foreign layer is not here [${descriptor.digest}]`, {
      hint: `It has to be fetched from where it is published: ${descriptor.urls?.join(', ')}.`,
      cause: error,
    });
  }
}
