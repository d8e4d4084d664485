// `check`: whether all parts of an image are consistent: digests, sizes, diffIDs, archives, config, history, media types.

import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { readSmallBlob } from '../../io/streams/small-blob.ts';
import { stoppable } from '../../io/streams/stoppable.ts';
import { verified } from '../../io/streams/verify.ts';
import { hasFileSystem, isNumberOfLayers, layerDiffIds } from '../../oci/agreement.ts';
import { checkArguments, TEXT } from '../../oci/arguments.ts';
import { decodeConfig, type ImageConfig } from '../../oci/config.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { decodeManifest, type ImageManifest, isElsewhere, type RawManifest, verifyBytes } from '../../oci/manifest.ts';
import { isConfigType, isIndexType, isLayerType } from '../../oci/media-types.ts';
import { formatPlatform, type Platform, platformSuits } from '../../oci/platform.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import type { IndexStore, Layer, LayerIndex } from '../../rootfs/contract.ts';
import { encodeIndex } from '../../rootfs/index-codec.ts';
import { verifyLayer } from '../../rootfs/verify-layer.ts';
import type { ImageSource } from '../../transports/contract.ts';
import { requirePlatform } from '../../transports/readable-image.ts';
import { OPTIONS, SETTINGS } from '../arguments.ts';
import { callOptions, type Settings, type TaskCall } from '../settings.ts';
import { type OpenedSource, openSource } from '../transfer/open-source.ts';

export interface CheckedPart {
  /** `index`, `manifest`, `config`, `layer 2`, `root file system`. */
  readonly what: string;
  readonly digest?: string;
  /** Inconsistencies; empty if the part is right. */
  readonly problems: readonly string[];
  /** Observations that are no errors. */
  readonly notes: readonly string[];
}

export interface CheckImageOptions {
  /** Checks only this image of an index. */
  readonly platform?: Platform;
  readonly onPart?: (part: CheckedPart) => void;
}

/** The number of layers that are read in parallel. */
const AT_A_TIME = 2;

/** Returns all parts, in the order of the image. Errors: only if the image cannot be found at all. */
export async function checkImage(
  image: string,
  settings: Settings,
  options: CheckImageOptions = {},
): Promise<readonly CheckedPart[]> {
  checkArguments({ image: [image, TEXT], settings: [settings, SETTINGS], options: [options, OPTIONS] });
  await using opened = await openSource(image, settings, { order: 'store' });
  return await checkSource(opened, settings, options);
}

/** Results by digest and diffID, so that a layer which several images share is checked once. */
export type LayerResults = Map<string, Promise<LayerResult>>;

/** `layers` holds results from images that were checked before. The source stays open. Errors: as `checkImage`. */
export async function checkSource(
  { source, indexOf }: Pick<OpenedSource, 'source' | 'indexOf'>,
  settings: TaskCall,
  options: CheckImageOptions & { readonly layers?: LayerResults } = {},
): Promise<readonly CheckedPart[]> {
  const parts: CheckedPart[] = [];
  const note = (part: CheckedPart): void => {
    parts.push(part);
    options.onPart?.(part);
  };
  const layers: LayerResults = options.layers ?? new Map();
  await checkManifest(
    { source, settings, options, note, layers, seen: new Set(), ...(indexOf && { indexOf }) },
    await source.root(callOptions(settings)),
  );
  return parts;
}

interface Checking extends Pick<OpenedSource, 'indexOf'> {
  readonly source: ImageSource;
  readonly settings: TaskCall;
  readonly options: CheckImageOptions;
  note(part: CheckedPart): void;
  readonly layers: LayerResults;
  /** Indexes may refer to a manifest many times: each is checked once. */
  readonly seen: Set<Digest>;
}

async function checkManifest(checking: Checking, raw: RawManifest, expected?: Descriptor): Promise<void> {
  if (checking.seen.has(raw.digest)) return;
  checking.seen.add(raw.digest);
  const problems: string[] = [];
  const notes: string[] = [];
  const kind = isIndexType(raw.mediaType) ? 'index' : 'manifest';
  const found = await attempt(problems, async () => {
    verifyBytes(raw.bytes, raw);
    return decodeManifest(raw);
  });
  if (expected && expected.mediaType !== raw.mediaType) {
    problems.push(`the index says it is ${expected.mediaType}, it says ${raw.mediaType}`);
  }
  if (found?.kind === 'index') {
    const there = await readChildren(checking, found.manifests, notes);
    if (there.length === 0 && found.manifests.length > 0) problems.push('none of its images is there');
    checking.note({ what: kind, digest: raw.digest, problems, notes });
    for (const { child, manifest } of there) await checkManifest(checking, manifest, child);
    return;
  }
  checking.note({ what: kind, digest: raw.digest, problems, notes });
  if (found) await checkParts(checking, found, expected);
}

interface Child {
  readonly child: Descriptor;
  readonly manifest: RawManifest;
}

/** Reads the child manifests that are present and wanted. */
async function readChildren(
  { source, settings, options }: Checking,
  children: readonly Descriptor[],
  notes: string[],
): Promise<readonly Child[]> {
  const { platform } = options;
  const wanted = children.filter(
    (child) => !platform || (child.platform && platformSuits(child.platform, platform) > 0),
  );
  if (platform && wanted.length === 0) {
    throw new ImagesError(
      'PLATFORM_UNKNOWN',
      `no image of it is there for ${formatPlatform(platform)} [${source.label}]`,
    );
  }
  const there: Child[] = [];
  for (const child of wanted) {
    try {
      there.push({ child, manifest: await source.manifest(child, callOptions(settings)) });
    } catch (error) {
      if (!isImagesError(error, 'MANIFEST_UNKNOWN')) throw error;
      const what = child.platform ? formatPlatform(child.platform) : child.digest;
      notes.push(`not there: ${what}`);
    }
  }
  return there;
}

async function checkParts(checking: Checking, manifest: ImageManifest, expected?: Descriptor): Promise<void> {
  const config = await checkConfig(checking, manifest, expected?.platform);
  const { platform } = checking.options;
  if (config && platform && !expected) requirePlatform(config, platform, checking.source.label);
  const diffIds = config ? layerDiffIds(manifest, config) : [];
  const limit = createLimiter(AT_A_TIME);
  const results = await Promise.all(
    manifest.layers.map((descriptor, at) => {
      const diffId = diffIds[at];
      const key = `${descriptor.digest} ${diffId}`;
      const known = checking.layers.get(key) ?? limit(() => checkLayer(checking, descriptor, diffId));
      checking.layers.set(key, known);
      return known;
    }),
  );
  results.forEach(({ problems, notes }, at) => {
    checking.note({ what: `layer ${at + 1}`, digest: manifest.layers[at]?.digest ?? '', problems, notes });
  });
  const indexes = results.flatMap(({ index }) => (index ? [index] : []));
  if (indexes.length < results.length) return;
  const problems: string[] = [];
  await attempt(problems, async () => applyLayers(indexes));
  checking.note({ what: 'root file system', problems, notes: [] });
}

async function checkConfig(
  { source, settings, note }: Checking,
  manifest: ImageManifest,
  platform: Platform | undefined,
): Promise<ImageConfig | undefined> {
  const problems: string[] = [];
  const notes: string[] = [];
  const config = await attempt(problems, async () => {
    const { config: blob } = manifest;
    const bytes = await readSmallBlob(blob, () => source.blob(blob, 0, callOptions(settings)));
    if (isConfigType(blob.mediaType)) return decodeConfig(bytes);
    notes.push(`no image's [${blob.mediaType}]`);
    return undefined;
  });
  // Only for images with a file system: the history of an artifact's config need not match its layers.
  if (config && hasFileSystem(manifest)) {
    const { diffIds, history } = config;
    const layers = manifest.layers.length;
    if (!isNumberOfLayers(diffIds.length, manifest))
      problems.push(`diffIDs for ${diffIds.length} layers, there are ${layers}`);
    const made = history.filter((entry) => entry.empty_layer !== true).length;
    if (history.length > 0 && !isNumberOfLayers(made, manifest))
      problems.push(`the history tells of ${made} layers, there are ${layers}`);
    if (history.length === 0 && layers > 0) notes.push('no history');
  }
  if (config) {
    // For an attestation the index gives the platform `unknown`.
    if (platform && platform.os !== 'unknown' && platformSuits(config.platform, platform) === 0) {
      problems.push(`it is for ${formatPlatform(config.platform)}, the index says ${formatPlatform(platform)}`);
    }
  }
  note({ what: 'config', digest: manifest.config.digest, problems, notes });
  return config;
}

interface LayerResult {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  readonly index?: LayerIndex;
}

async function checkLayer(
  { source, settings, indexOf }: Checking,
  descriptor: Descriptor,
  diffId: Layer['diffId'],
): Promise<LayerResult> {
  const problems: string[] = [];
  const notes: string[] = [];
  const { signal } = settings;
  const open: Layer['open'] = async (call) =>
    stoppable(await source.blob(descriptor, 0, { ...callOptions(settings), ...call }), signal);
  const layer: Layer = { descriptor, open, ...(diffId && { diffId }) };
  if (!isLayerType(descriptor.mediaType)) {
    await attempt(problems, () => readThrough(layer, callOptions(settings)));
    return { problems, notes: [`no files [${descriptor.mediaType}]`] };
  }
  const foreign = isElsewhere(descriptor);
  const found = await attempt(foreign ? notes : problems, () => verifyLayer(layer, callOptions(settings)));
  if (!found) return { problems, notes };
  await repairIndex(indexOf?.(descriptor.digest), found.index);
  if (diffId && found.diffId !== diffId) problems.push(`its diffID is ${found.diffId}, the config says ${diffId}`);
  const stated = statedCompression(descriptor.mediaType);
  const real = found.compression ?? 'none';
  if (stated !== undefined && stated !== real) {
    problems.push(`its compression is ${real}, its media type says ${stated} [${descriptor.mediaType}]`);
  }
  return { problems, notes, index: found.index };
}

/** Rewrites the cached index of a layer if it is wrong. Other commands use it without hashing the layer; here the layer has been read and verified. */
async function repairIndex(store: IndexStore | undefined, index: LayerIndex): Promise<void> {
  if (!store) return;
  const remembered = await store.load().catch((error: unknown) => {
    if (!isImagesError(error)) throw error;
    return new Uint8Array();
  });
  const right = remembered && encodeIndex(index);
  if (right && !Buffer.from(remembered).equals(right)) await store.save(right);
}

/** For layers of artifacts (attestations, charts, signatures) only digest and size can be verified. */
async function readThrough({ descriptor, open }: Layer, options: CallOptions): Promise<void> {
  for await (const _ of verified(await open(options), descriptor));
}

/** The compression in a media type. Returns `undefined` if the media type does not tell. */
function statedCompression(mediaType: string): string | undefined {
  if (/[+.]gzip$/.test(mediaType)) return 'gzip';
  if (/\+zstd$/.test(mediaType)) return 'zstd';
  return /\.tar$/.test(mediaType) ? 'none' : undefined;
}

/** Runs `work`; an ImagesError becomes a problem. Bugs and interruptions are thrown. */
async function attempt<T>(problems: string[], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isImagesError(error) || error.code === 'ABORTED') throw error;
    problems.push(error.message);
    return undefined;
  }
}
