// Whether the manifest and the config of one image agree. Runtimes take each layer's diffID from the config, by the layer's position. Pure.
import { decodeConfig, type ImageConfig } from './config.ts';
import { type Digest, digestAlgorithm } from './digest.ts';
import { ImagesError } from './errors.ts';
import type { ImageManifest } from './manifest.ts';
import { DOCKER_LAYER, DOCKER_MANIFEST, isConfigType, isLayerType, OCI_LAYER } from './media-types.ts';

const UNCOMPRESSED: readonly string[] = [OCI_LAYER, DOCKER_LAYER];
const NO_RUNTIME = 'No runtime takes it: make the image again, or take it from another source.';

/**
 * Whether a manifest is that of an image that runtimes unpack. Anything else is an artifact: a chart, a signature, an SBOM; also a manifest with an
 * image's config but without a layer of files. An artifact's config is not read as an image's config.
 */
export function hasFileSystem({ mediaType, config, layers }: ImageManifest): boolean {
  // Old Docker versions pushed images like this. Every runtime takes them.
  const isUntyped = mediaType === DOCKER_MANIFEST && config.mediaType === 'application/octet-stream';
  return (isConfigType(config.mediaType) || isUntyped) && (layers.length === 0 || layers.some(isFiles));
}

/**
 * The config of an image that has a file system. A config without diffIDs is accepted as it is, because nobody runs such an image; a history that counts
 * other layers is accepted because no runtime minds. Errors: MANIFEST_INVALID if it is no config, or if it has more or fewer diffIDs than there are layers.
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

/** Whether a config with `told` layers can belong to this manifest. Layers that hold no files (containerd skips them) may be counted or not. */
export function isNumberOfLayers(told: number, { layers }: ImageManifest): boolean {
  return told === layers.length || told === layers.filter(isFiles).length;
}

/** The same blob must have the same diffID wherever it is used: it unpacks to one content. Errors: MANIFEST_INVALID. */
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

/** Layers whose media type says "uncompressed", so that digest and diffID must be equal, but whose diffID in the config is another one. */
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

/** The diffID of each layer, by its position among the layers that the config counts; `undefined` for a layer that the config does not count. */
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
