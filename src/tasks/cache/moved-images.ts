// Finds tags that point to something else at their source than in the private registry. Each costs one HEAD request, which does not count against pull quotas.
import type { FailedImage } from '../../copy/copy-plan.ts';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isImagesError } from '../../oci/errors.ts';
import { formatPlatform, type PlatformChoice } from '../../oci/platform.ts';
import { type FullReference, formatReference, tagOrDigest } from '../../oci/reference.ts';
import { findImage } from '../private-registry/private-registry.ts';
import { callOptions } from '../settings.ts';
import type { CacheEnds } from './cache-images.ts';
import { lackingPlatforms } from './lacking-platforms.ts';

const REQUESTS = 8;

export interface Moved {
  readonly moved: readonly FullReference[];
  /** Images whose hosts gave no answer. */
  readonly failed: readonly FailedImage[];
}

/**
 * `--refresh`: of images in the registry, those whose tag has moved at its source. References by digest never move. An image that its source no longer has is
 * kept, with a note. Errors: those of the hosts, unless `keepGoing` lists them.
 */
export async function movedImages(
  names: readonly FullReference[],
  { registry, hosts, settings }: CacheEnds,
  { keepGoing }: { readonly keepGoing?: boolean } = {},
): Promise<Moved> {
  const tagged = names.filter((name) => name.digest === undefined);
  const failed: FailedImage[] = [];
  const moved = await filterAsync(tagged, settings.signal, async (name) => {
    try {
      const here = await findImage(name, registry, settings);
      const there = await statAtHost(name, { registry, hosts, settings });
      if (!there) settings.onNote?.(`Its host has it no more, it stays as it is here: ${formatReference(name)}`);
      return there !== undefined && there.digest !== here?.descriptor.digest;
    } catch (error) {
      if (!keepGoing || !isImagesError(error) || error.code === 'ABORTED') throw error;
      failed.push({ name, image: formatReference(name), error });
      return false;
    }
  });
  return { moved, failed };
}

/** Of any images, those that are missing in the registry or differ there. If a host gives no answer, the image counts as changed: fetching it will show the error. */
export async function changedImages(
  names: readonly FullReference[],
  { registry, hosts, settings }: CacheEnds,
): Promise<readonly FullReference[]> {
  return await filterAsync(names, settings.signal, async (name) => {
    const here = await findImage(name, registry, settings, { whole: true });
    if (!here || name.digest !== undefined) return !here;
    try {
      return (await statAtHost(name, { registry, hosts, settings }))?.digest !== here.descriptor.digest;
    } catch (error) {
      if (!isImagesError(error) || error.code === 'ABORTED') throw error;
      return true;
    }
  });
}

/** Of images in the registry, those that lack a wanted platform. The registry's own manifests are read first. Hosts are asked, by HEAD, only where these leave it open. */
export async function unsuitedImages(
  names: readonly FullReference[],
  platforms: PlatformChoice,
  ends: CacheEnds,
): Promise<readonly FullReference[]> {
  const { lacking, unclear } = await lackingPlatforms(names, platforms, ends);
  const changed = await changedImages(unclear, ends);
  const wanted = platforms === 'all' ? [] : platforms.map(formatPlatform);
  for (const name of unclear) {
    if (wanted.length === 0 || changed.includes(name)) continue;
    ends.settings.onNote?.(
      `${formatReference(name)} is not there for all of ${wanted.join(', ')}, and its host has it no other way`,
    );
  }
  return [...lacking, ...changed];
}

async function statAtHost(name: FullReference, { hosts, settings }: CacheEnds): Promise<Descriptor | undefined> {
  return await hosts.registryOf(name).statManifest(name.path, tagOrDigest(name), callOptions(settings));
}

async function filterAsync(
  names: readonly FullReference[],
  signal: AbortSignal | undefined,
  wanted: (name: FullReference) => Promise<boolean>,
): Promise<readonly FullReference[]> {
  const answers = await createLimiter(REQUESTS).map(names, wanted, signal);
  return names.filter((_, at) => answers[at]);
}
