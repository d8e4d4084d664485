// Whether the parts that describe one image agree, as runtimes see it: they take each layer's diffID from the config, by its place. Pure.
import { decodeConfig, type ImageConfig } from './config.ts';
import { type Digest, digestAlgorithm } from './digest.ts';
import { ImagesError } from './errors.ts';
import type { ImageManifest } from './manifest.ts';
import { DOCKER_LAYER, DOCKER_MANIFEST, isConfigType, isLayerType, OCI_LAYER } from './media-types.ts';

const UNCOMPRESSED: readonly string[] = [OCI_LAYER, DOCKER_LAYER];
const NO_RUNTIME = 'No runtime takes it: make the image again, or take it from another place.';

/**
 * Whether it is an image that runtimes unpack. All else is an artifact: a chart, a signature, an SBOM, also where it has an image's config without a
 * layer of files. Its config is not read as an image's.
 */
export function hasFileSystem({ mediaType, config, layers }: ImageManifest): boolean {
  // Images that old Docker versions pushed: every runtime takes them.
  const isUntyped = mediaType === DOCKER_MANIFEST && config.mediaType === 'application/octet-stream';
  return (isConfigType(config.mediaType) || isUntyped) && (layers.length === 0 || layers.some(isFiles));
}

/**
 * The config of an image that has a file system. Without diffIDs it is one that nobody runs, and taken as it is; a history that tells of other
 * layers stops no runtime. Errors: MANIFEST_INVALID where it is no config, or has another number of diffIDs than there are layers.
 */
export function agreeingConfig(manifest: ImageManifest, bytes: Uint8Array): ImageConfig {
  const config = decodeConfig(bytes);
  if (config.diffIds.length === 0) return config;
  if (!isNumberOfLayers(config.diffIds.length, manifest)) {
    const [said, there] = [count(config.diffIds.length, 'diffID'), count(manifest.layers.length, 'layer')];
    throw new ImagesError('MANIFEST_INVALID', `config and manifest disagree: ${said} for ${there}`, {
      hint: NO_RUNTIME,
    });
  }
  requireOneDiffId(manifest, config);
  return config;
}

/** Whether a config that tells of so many layers may mean these: what is no layer of files (containerd passes over it) may be counted or not. */
export function isNumberOfLayers(told: number, { layers }: ImageManifest): boolean {
  return told === layers.length || told === layers.filter(isFiles).length;
}

/** One blob is one layer, wherever it stands: unpacked it cannot be two. Errors: MANIFEST_INVALID. */
function requireOneDiffId(manifest: ImageManifest, config: ImageConfig): void {
  const known = new Map<Digest, Digest>();
  for (const [at, diffId] of layerDiffIds(manifest, config).entries()) {
    const digest = manifest.layers[at]?.digest;
    if (!digest || !diffId) continue;
    const first = known.get(digest) ?? diffId;
    known.set(digest, first);
    if (first === diffId) continue;
    throw new ImagesError('MANIFEST_INVALID', `config and manifest disagree: two diffIDs for one layer [${digest}]`, {
      hint: NO_RUNTIME,
    });
  }
}

/** Layers that are said to be uncompressed, so that their digests are their diffIDs, and the config says others. */
export function otherThanDiffIds(manifest: ImageManifest, config: ImageConfig): readonly Digest[] {
  const diffIds = layerDiffIds(manifest, config);
  return manifest.layers.flatMap(({ mediaType, digest }, at) => {
    const diffId = diffIds[at];
    return UNCOMPRESSED.includes(mediaType) &&
      diffId &&
      digestAlgorithm(diffId) === digestAlgorithm(digest) &&
      diffId !== digest
      ? [digest]
      : [];
  });
}

/** Of each layer, by its place among those that the config counts; `undefined` where it says none. */
export function layerDiffIds({ layers }: ImageManifest, { diffIds }: ImageConfig): readonly (Digest | undefined)[] {
  if (diffIds.length === layers.length) return diffIds;
  let next = 0;
  return layers.map((layer) => (isFiles(layer) ? diffIds[next++] : undefined));
}

function isFiles({ mediaType }: { readonly mediaType: string }): boolean {
  return isLayerType(mediaType);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
