// `lreg_missingimages --boot-set`: whether nodes can start everything that overlays use with nothing but the private registry. All manifests are read, and all
// blobs are asked for, as a node would pull them.
import { selectChildren } from '../../copy/select-children.ts';
import { createLimiter, type Limiter } from '../../io/concurrency/limiter.ts';
import { hasFileSystem } from '../../oci/agreement.ts';
import { checkArguments, objectWith } from '../../oci/arguments.ts';
import { decodeConfig } from '../../oci/config.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { decodeManifest, type ImageManifest, isElsewhere, type Manifest } from '../../oci/manifest.ts';
import { formatPlatform, isImageFor, type PlatformChoice, statesPlatform } from '../../oci/platform.ts';
import { type FullReference, formatReference, fullReference, parseReference } from '../../oci/reference.ts';
import { readRegistryConfig } from '../../registry/read-config.ts';
import { SETTINGS, TEXTS } from '../arguments.ts';
import { overlayImages } from '../overlays/overlay-images.ts';
import { pauseImage } from '../overlays/pause-image.ts';
import { findImage, openPrivateRegistry, type PrivateRegistry } from '../private-registry/private-registry.ts';
import { callOptions, type Settings, type TaskCall } from '../settings.ts';
import { type MissingRequest, uniqueNames } from './missing-images.ts';

export interface BootSetRequest extends MissingRequest {
  /** The platforms of the nodes. Default: this machine's. */
  readonly platforms?: PlatformChoice;
}

/** What a node could not pull. */
export type LackingPart =
  | { readonly kind: 'image' }
  /** The image is not there for it. */
  | { readonly kind: 'platform'; readonly platform: string }
  | { readonly kind: 'manifest' | 'config' | 'layer'; readonly digest: Digest; readonly size: number }
  /** A layer that is not kept in registries; a node would fetch it from there. */
  | { readonly kind: 'elsewhere'; readonly digest: Digest; readonly urls: readonly string[] };

export interface BootImage {
  /** The full name. */
  readonly image: string;
  /** Empty: nodes can pull it. */
  readonly lacks: readonly LackingPart[];
}

export interface BootSet {
  /** The platforms, as texts; `all` for whatever the images have. */
  readonly platforms: readonly string[];
  readonly images: readonly BootImage[];
  /** What is there, each digest once. `bytes`: of the blobs. */
  readonly manifests: number;
  readonly blobs: number;
  readonly bytes: number;
}

const IMAGES_AT_ONCE = 8;
const REQUESTS = 16;

/**
 * All images that overlays use, and the pause image, with the parts that the private registry lacks for these platforms. Errors: those of overlayImages,
 * REFERENCE_INVALID, NO_REGISTRY, those of requests to a registry over HTTP.
 */
export async function bootSet(request: BootSetRequest, settings: Settings): Promise<BootSet> {
  checkArguments({ request: [request, objectWith({ items: TEXTS })], settings: [settings, SETTINGS] });
  const { pause: named, onWarning, platforms = [machinePlatform()], ...items } = request;
  const registry = await openPrivateRegistry(settings);
  const pause = await pauseImage(named, settings);
  const found = await overlayImages(items, settings);
  for (const warning of found.warnings) onWarning?.(warning);
  const images = [...(pause === undefined ? [] : [pause]), ...found.images];
  const names = uniqueNames(images.map((image) => fullReference(parseReference(image))));
  const look = newBootLook(registry, platforms, settings);
  const looked = await createLimiter(IMAGES_AT_ONCE).map(names, look.image, settings.signal);
  return {
    platforms: platforms === 'all' ? ['all'] : platforms.map(formatPlatform),
    images: looked,
    ...look.sums(),
  };
}

interface BootLook {
  readonly image: (name: FullReference) => Promise<BootImage>;
  readonly sums: () => Pick<BootSet, 'manifests' | 'blobs' | 'bytes'>;
}

function newBootLook(privateRegistry: PrivateRegistry, platforms: PlatformChoice, settings: TaskCall): BootLook {
  const ask: Limiter = createLimiter(REQUESTS);
  const manifests = new Set<Digest>();
  const blobs = new Map<Digest, number>();
  const { registry } = privateRegistry;

  /** In one repository: what is in another one does not help the node. */
  function inRepository(repository: string, host: string) {
    const call = { ...callOptions(settings), host };
    const lacks: LackingPart[] = [];
    /** Indexes may refer to each other many times: each is examined once. */
    const seen = new Set<Digest>();

    async function manifest(descriptor: Descriptor, isRoot: boolean): Promise<void> {
      if (seen.has(descriptor.digest)) return;
      seen.add(descriptor.digest);
      const decoded = await read(descriptor);
      if (!decoded) lacks.push({ kind: 'manifest', digest: descriptor.digest, size: descriptor.size });
      else if (decoded.kind === 'index') await index(decoded);
      else await image(decoded, isRoot);
    }

    async function read({ digest }: Descriptor): Promise<Manifest | undefined> {
      try {
        const decoded = decodeManifest(
          await ask(() => registry.getManifest(repository, digest, call), settings.signal),
        );
        manifests.add(digest);
        return decoded;
      } catch (error) {
        if (isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return undefined;
        throw error;
      }
    }

    async function index(decoded: Extract<Manifest, { kind: 'index' }>): Promise<void> {
      const { children, lacking } = selectChildren(decoded, platforms);
      for (const platform of lacking) lacks.push({ kind: 'platform', platform: formatPlatform(platform) });
      for (const child of children) await manifest(child, false);
    }

    async function image(decoded: ImageManifest, isRoot: boolean): Promise<void> {
      const [hasConfig] = await Promise.all([decoded.config, ...decoded.layers].map(blob));
      // Without an index, only the config tells the platform.
      if (isRoot && hasConfig) await suits(decoded);
    }

    async function suits(decoded: ImageManifest): Promise<void> {
      if (platforms === 'all' || !hasFileSystem(decoded)) return;
      const { platform } = decodeConfig(
        await ask(() => readRegistryConfig(registry, { repository, config: decoded.config }, call), settings.signal),
      );
      if (!statesPlatform(platform)) return;
      for (const wanted of platforms)
        if (!isImageFor(platform, wanted)) lacks.push({ kind: 'platform', platform: formatPlatform(wanted) });
    }

    async function blob(descriptor: Descriptor, at: number): Promise<boolean> {
      const { digest, size, urls = [] } = descriptor;
      const found = await ask(() => registry.statBlob(repository, digest, call), settings.signal);
      if (found) blobs.set(digest, found.size);
      else if (isElsewhere(descriptor)) lacks.push({ kind: 'elsewhere', digest, urls });
      else lacks.push({ kind: at === 0 ? 'config' : 'layer', digest, size });
      return found !== undefined;
    }

    return { manifest, lacks };
  }

  return {
    image: async (name) => {
      const image = formatReference(name);
      const found = await findImage(name, privateRegistry, settings);
      if (!found) return { image, lacks: [{ kind: 'image' }] };
      const { manifest, lacks } = inRepository(found.repository, name.host);
      await manifest(found.descriptor, true);
      return { image, lacks };
    },
    sums: () => ({
      manifests: manifests.size,
      blobs: blobs.size,
      bytes: [...blobs.values()].reduce((sum, size) => sum + size, 0),
    }),
  };
}
