// Which children of an index are copied (OCI image specification 1.1, image-index.md).
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Index } from '../oci/manifest.ts';
import { isIndexType } from '../oci/media-types.ts';
import { formatPlatform, type Platform, type PlatformChoice, platformSuits } from '../oci/platform.ts';

export interface Selection {
  readonly children: readonly Descriptor[];
  /** Wanted platforms for which the index has nothing. */
  readonly lacking: readonly Platform[];
}

/**
 * Selects for each wanted platform the child that suits it best, in the order wanted. If none suits, it selects the nested indexes that state no platform, so
 * that they are searched. If no child states a platform, it selects all of them.
 */
export function selectChildren(index: Index, choice: PlatformChoice): Selection {
  if (choice === 'all') return { children: index.manifests, lacking: [] };
  const children = index.manifests.filter((child) => !isAttestation(child));
  if (!children.some(statesPlatform)) return { children, lacking: [] };
  const nested = children.filter((child) => !statesPlatform(child) && isIndexType(child.mediaType));
  const selected = new Map<Digest, Descriptor>();
  const lacking: Platform[] = [];
  for (const wanted of choice) {
    const best = bestChild(children, wanted);
    for (const child of best ? [best] : nested) selected.set(child.digest, child);
    if (!best && nested.length === 0) lacking.push(wanted);
  }
  return { children: [...selected.values()], lacking };
}

/** The platforms that the children of an index state, for messages. */
export function offeredPlatforms(index: Index): readonly string[] {
  const offered = index.manifests.flatMap((child) =>
    child.platform && !isAttestation(child) ? [formatPlatform(child.platform)] : [],
  );
  return [...new Set(offered)];
}

function bestChild(children: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  let best: Descriptor | undefined;
  let most = 0;
  for (const child of children) {
    const suits = child.platform ? platformSuits(child.platform, wanted) : 0;
    if (suits > most) [best, most] = [child, suits];
  }
  return best;
}

function statesPlatform(child: Descriptor): boolean {
  return Boolean(child.platform?.os && child.platform.architecture);
}

/** BuildKit's provenance and SBOMs are children of the index with the platform unknown/unknown. */
function isAttestation(child: Descriptor): boolean {
  return child.platform?.os === 'unknown' && child.platform.architecture === 'unknown';
}
