// `lreg_inspect`: describes an image in the private registry, with the keys of `skopeo inspect`.

import { hasFileSystem } from '../../oci/agreement.ts';
import { checkArguments, objectWith } from '../../oci/arguments.ts';
import { decodeConfig } from '../../oci/config.ts';
import * as decode from '../../oci/decode.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { decodeManifest, type ImageManifest, type RawManifest } from '../../oci/manifest.ts';
import { isIndexType } from '../../oci/media-types.ts';
import type { Platform } from '../../oci/platform.ts';
import { formatReference, type Reference } from '../../oci/reference.ts';
import type { ReadOptions, Registry } from '../../registry/contract.ts';
import { readRegistryConfig } from '../../registry/read-config.ts';
import { pullsOf } from '../../storage/repositories/pull-records.ts';
import type { ImageSource } from '../../transports/contract.ts';
import { chooseImage, type ReadImageOptions, requirePlatform } from '../../transports/readable-image.ts';
import { registrySource } from '../../transports/registry-source.ts';
import { CALL, REFERENCE, REGISTRY } from '../arguments.ts';
import { findImage, notLoaded, type PrivateRegistry } from '../private-registry/private-registry.ts';
import { callOptions, type TaskCall } from '../settings.ts';

/** Keys in skopeo's order. */
export interface Inspection {
  readonly Name: string;
  /** The digest to which the name points, even if that is an index. */
  readonly Digest: Digest;
  readonly RepoTags: readonly string[];
  readonly Created: string | null;
  readonly DockerVersion: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Architecture: string;
  readonly Os: string;
  readonly Layers: readonly Digest[];
  readonly LayersData: readonly LayerData[];
  readonly Env: readonly string[] | null;
  /** Not skopeo's. Absent if no pulls are recorded. */
  readonly Pulls?: { readonly ByTag: number; readonly ByDigest: number; readonly Last: string };
}

export interface LayerData {
  readonly MIMEType: string;
  readonly Digest: Digest;
  readonly Size: number;
  readonly Annotations: Readonly<Record<string, string>> | null;
}

export interface InspectedImage {
  /** The manifest or index to which the name points. */
  readonly root: RawManifest;
  /** The config of the selected image, byte for byte. */
  readonly config: Uint8Array;
  readonly inspection: Inspection;
}

/** Of an index, the image for `platform` is selected. Without `platform`: this machine's, or else the first one present. Errors: MANIFEST_UNKNOWN, PLATFORM_UNKNOWN. */
export async function inspectImage(
  reference: Reference,
  registry: PrivateRegistry,
  options: { readonly platform?: Platform; readonly settings: TaskCall },
): Promise<InspectedImage> {
  checkArguments({
    reference: [reference, REFERENCE],
    registry: [registry, REGISTRY],
    options: [options, objectWith({ settings: CALL })],
  });
  const { settings, platform } = options;
  const found = await findImage(reference, registry, settings);
  if (!found) throw notLoaded(reference);
  const { repository, descriptor } = found;
  const asked = { path: repository, digest: descriptor.digest };
  const source = registrySource(registry.registry, asked, { label: formatReference(reference) });
  const root = await source.root(callOptions(settings));
  const manifest = await chosenImage(source, root, {
    ...callOptions(settings),
    ...(platform && { platform }),
    machine: machinePlatform(),
  });
  const config = await readRegistryConfig(
    registry.registry,
    { repository, config: manifest.config },
    callOptions(settings),
  );
  if (platform && !isIndexType(root.mediaType) && hasFileSystem(manifest))
    requirePlatform(decodeConfig(config), platform, source.label);
  const fields = decode.object(decode.parseJson(config, 'config'), 'config');
  const inner = decode.isObject(fields.config) ? fields.config : {};
  const pulls = registry.store && (await pullsOf(registry.store.objects, repository, root.digest));
  const read = { ...callOptions(settings), ...(reference.host && { host: reference.host }) };
  const inspection: Inspection = {
    Name: registry.address ? `${registry.address.host}/${repository}` : repository,
    Digest: root.digest,
    RepoTags: await tagsOf(registry.registry, repository, read),
    Created: textOf(fields.created) ?? null,
    DockerVersion: textOf(fields.docker_version) ?? '',
    Labels: decode.optional(inner.Labels, 'config.config.Labels', decode.stringMap) ?? null,
    Architecture: textOf(fields.architecture) ?? '',
    Os: textOf(fields.os) ?? '',
    Layers: manifest.layers.map((layer) => layer.digest),
    LayersData: manifest.layers.map(layerData),
    Env: decode.optional(inner.Env, 'config.config.Env', decode.strings) ?? null,
    ...(pulls && { Pulls: { ByTag: pulls.byTag, ByDigest: pulls.byDigest, Last: pulls.last.toISOString() } }),
  };
  return { root, config, inspection };
}

/** Selects as all commands do that look into images. If the image is missing here, the error tells how to fetch it. */
async function chosenImage(source: ImageSource, root: RawManifest, options: ReadImageOptions): Promise<ImageManifest> {
  try {
    const manifest = decodeManifest(await chooseImage(source, root, options));
    if (manifest.kind === 'image') return manifest;
  } catch (error) {
    if (!isImagesError(error, 'PLATFORM_UNKNOWN')) throw error;
    throw new ImagesError('PLATFORM_UNKNOWN', error.message, {
      hint: '`images lreg_cache --platform=OS/ARCH` fetches it.',
      cause: error,
    });
  }
  throw new Error('an image was chosen that is none');
}

/** The tags of a repository. If all its images were put by digest it has none, which docker-registry reports as an unknown repository. */
async function tagsOf(registry: Registry, repository: string, options: ReadOptions): Promise<readonly string[]> {
  try {
    return await Array.fromAsync(registry.tags(repository, undefined, options));
  } catch (error) {
    if (isImagesError(error, 'NAME_UNKNOWN')) return [];
    throw error;
  }
}

function layerData({ mediaType, digest, size, annotations }: Descriptor): LayerData {
  return { MIMEType: mediaType, Digest: digest, Size: size, Annotations: annotations ?? null };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
