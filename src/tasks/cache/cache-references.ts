// `lreg_cache`: updates references in the private registry to the current state of their hosts.

import type { Bytes } from '../../io/streams/bytes.ts';
import { checkArguments, objectWith } from '../../oci/arguments.ts';
import { type FullReference, formatReference } from '../../oci/reference.ts';
import type { Warning } from '../../scan/contract.ts';
import { OPTIONS, SETTINGS, TEXTS } from '../arguments.ts';
import { inputImages } from '../overlays/input-images.ts';
import { withoutQuotes } from '../overlays/reference-list.ts';
import { writtenReferences } from '../overlays/written-references.ts';
import { openPrivateRegistry } from '../private-registry/private-registry.ts';
import { imageHosts } from '../private-registry/registry-clients.ts';
import type { Settings } from '../settings.ts';
import type { TransferResult } from '../transfer/transfer-result.ts';
import { type CacheEnds, type CacheOptions, cacheImages } from './cache-images.ts';
import { lackingPlatforms } from './lacking-platforms.ts';
import { uniqueNames } from './missing-images.ts';
import { changedImages } from './moved-images.ts';

export interface CacheRequest {
  /** As a user writes them; `-` stands for the content of `input`. */
  readonly references: readonly string[];
  readonly input: Bytes;
}

export interface CacheReferencesOptions extends CacheOptions {
  readonly onWarning?: (warning: Warning) => void;
}

export interface CacheReferencesResult extends TransferResult {
  /** Full names of images that the registry already had. Their hosts were asked at most by HEAD, which does not count against pull quotas. */
  readonly loaded: readonly string[];
}

/** Updates these references in the private registry to the current state of their hosts. Errors: REFERENCE_INVALID, NO_ACCESS, those of cacheImages. */
export async function cacheReferences(
  request: CacheRequest,
  settings: Settings,
  options: CacheReferencesOptions = {},
): Promise<CacheReferencesResult> {
  checkArguments({
    request: [request, objectWith({ references: TEXTS })],
    settings: [settings, SETTINGS],
    options: [options, OPTIONS],
  });
  const { references, input } = request;
  const listed = references.includes('-') ? await inputImages(input) : { findings: [], warnings: [] };
  for (const warning of listed.warnings) options.onWarning?.(warning);
  const used = listed.findings.filter(({ certainty }) => certainty === 'used').map(({ image }) => image);
  const given = references.filter((reference) => reference !== '-').map(withoutQuotes);
  const { names: written, invalid } = writtenReferences([...given, ...used], options.keepGoing ?? false);
  const names = uniqueNames([...written.values()]);
  const registry = await openPrivateRegistry(settings, { create: true });
  await using hosts = await imageHosts(registry.address, settings, {
    ...(options.onEvent && { onEvent: options.onEvent }),
  });
  const ends = { registry, hosts, settings };
  const wanted = options.force || options.referrers ? names : await outdatedImages(names, ends, options);
  const loaded = names.filter((name) => !wanted.includes(name)).map(formatReference);
  const result = await cacheImages(wanted, ends, options);
  return { ...result, failed: [...invalid, ...result.failed], loaded };
}

/** Images that are missing in the registry, differ there, or lack a requested platform. */
async function outdatedImages(
  names: readonly FullReference[],
  ends: CacheEnds,
  { platforms }: CacheOptions,
): Promise<readonly FullReference[]> {
  const changed = await changedImages(names, ends);
  if (!platforms) return changed;
  const same = names.filter((name) => !changed.includes(name));
  const { lacking } = await lackingPlatforms(same, platforms, ends);
  return names.filter((name) => changed.includes(name) || lacking.includes(name));
}
