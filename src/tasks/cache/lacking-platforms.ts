// Finds images in the private registry that lack a wanted platform. Only the registry's own manifests are read, no host is asked.
import { selectChildren } from '../../copy/select-children.ts';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { hasFileSystem } from '../../oci/agreement.ts';
import { decodeConfig } from '../../oci/config.ts';
import type { Digest } from '../../oci/digest.ts';
import { decodeManifest, type ImageManifest, type Index } from '../../oci/manifest.ts';
import { isIndexType } from '../../oci/media-types.ts';
import { isImageFor, type PlatformChoice, statesPlatform } from '../../oci/platform.ts';
import type { FullReference } from '../../oci/reference.ts';
import { readRegistryConfig } from '../../registry/read-config.ts';
import { findImage, type PrivateRegistry } from '../private-registry/private-registry.ts';
import { callOptions, type TaskCall } from '../settings.ts';

const REQUESTS = 8;

export interface PlatformAnswers {
  /** The index has no child for a wanted platform, or the registry does not have that child. */
  readonly lacking: readonly FullReference[];
  /** A single image for another platform. Either the source has no index, or one image of the index was tagged in its place: only the host knows. */
  readonly unclear: readonly FullReference[];
}

interface Ends {
  readonly registry: PrivateRegistry;
  readonly settings: TaskCall;
}

/** `names` are images that the registry has. */
export async function lackingPlatforms(
  names: readonly FullReference[],
  platforms: PlatformChoice,
  ends: Ends,
): Promise<PlatformAnswers> {
  const ask = createLimiter(REQUESTS);
  const answers = await ask.map(names, (name) => platformAnswer(name, platforms, ends), ends.settings.signal);
  const answered = (answer: Answer) => names.filter((_, at) => answers[at] === answer);
  return { lacking: answered('lacking'), unclear: answered('unclear') };
}

type Answer = 'there' | 'lacking' | 'unclear';

async function platformAnswer(name: FullReference, platforms: PlatformChoice, ends: Ends): Promise<Answer> {
  const found = await findImage(name, ends.registry, ends.settings, { whole: true });
  if (!found) return 'lacking';
  const { registry } = ends.registry;
  const { repository } = found;
  const call = callOptions(ends.settings);
  const read = async (digest: Digest) => decodeManifest(await registry.getManifest(repository, digest, call));

  /** Indexes may refer to each other many times: each is examined once. */
  const seen = new Set<Digest>();

  async function isWhole(index: Index): Promise<boolean> {
    const { children } = selectChildren(index, platforms);
    for (const child of children) {
      if (seen.has(child.digest)) continue;
      seen.add(child.digest);
      if (!(await registry.statManifest(repository, child.digest, call))) return false;
      const nested = isIndexType(child.mediaType) ? await read(child.digest) : undefined;
      if (nested?.kind === 'index' && !(await isWhole(nested))) return false;
    }
    return children.length > 0;
  }

  async function suits(image: ImageManifest): Promise<boolean> {
    if (platforms === 'all') return false;
    // A chart has no platform, so it suits all.
    if (!hasFileSystem(image)) return true;
    const { platform } = decodeConfig(await readRegistryConfig(registry, { repository, config: image.config }, call));
    return !statesPlatform(platform) || platforms.every((wanted) => isImageFor(platform, wanted));
  }

  const manifest = await read(found.descriptor.digest);
  if (manifest.kind === 'index') return (await isWhole(manifest)) ? 'there' : 'lacking';
  // A reference by digest can mean only this image.
  return name.digest !== undefined || (await suits(manifest)) ? 'there' : 'unclear';
}
