// `lreg_preload`: caches the images that overlays use and the private registry lacks. Relies on the scan, the private registry and the copy engine.

import type { FailedImage } from '../../copy/copy-plan.ts';
import { checkArguments, objectWith } from '../../oci/arguments.ts';
import { isImagesError } from '../../oci/errors.ts';
import { type FullReference, formatReference, tryParseReference } from '../../oci/reference.ts';
import type { Warning } from '../../scan/contract.ts';
import { OPTIONS, SETTINGS, TEXTS } from '../arguments.ts';
import { type OverlayItems, overlayImages } from '../overlays/overlay-images.ts';
import { pauseImage } from '../overlays/pause-image.ts';
import { writtenReferences } from '../overlays/written-references.ts';
import { openPrivateRegistry } from '../private-registry/private-registry.ts';
import { callOptions, type Settings } from '../settings.ts';
import type { TransferResult } from '../transfer/transfer-result.ts';
import type { CacheEnds, CacheOptions } from './cache-images.ts';
import { missingImages, uniqueNames } from './missing-images.ts';

export interface PreloadOptions extends CacheOptions {
  /** Also updates tags that have moved at their source. */
  readonly refresh?: boolean;
  /** Also loads strings that only look like an image, if their host confirms that they are one. */
  readonly maybe?: boolean;
  /** The pause image. Absent: taken from the environment. */
  readonly pause?: string;
  readonly onWarning?: (warning: Warning) => void;
}

export interface PreloadResult extends TransferResult {
  /** Full names of images that the registry already had. */
  readonly loaded: readonly string[];
  /** Images whose tag begins with `local`: built here, and not published. */
  readonly skipped: readonly string[];
}

/**
 * Without items, only the pause image is loaded. Of a list alone (`-`), an image that its host does not give does not stop the others, as with `keepGoing`: a program has
 * found it, such as `lreg_missed`, and of much of it a name may be wrong. Errors: those of overlayImages, REFERENCE_INVALID, those of cacheImages.
 */
export async function preloadImages(
  items: OverlayItems,
  settings: Settings,
  options: PreloadOptions = {},
): Promise<PreloadResult> {
  checkArguments({
    items: [items, objectWith({ items: TEXTS })],
    settings: [settings, SETTINGS],
    options: [options, OPTIONS],
  });
  const pause = await pauseImage(options.pause, settings);
  const found = await overlayImages(items, settings);
  for (const warning of found.warnings) options.onWarning?.(warning);
  const registry = await openPrivateRegistry(settings, { create: true });
  const images = [...(pause === undefined ? [] : [pause]), ...found.images];
  const { names, skipped, invalid } = sortOut(images, options);
  const written = images.filter((image) => names.has(image));
  const all = uniqueNames([...names.values()]);
  const missing = options.force ? all : await missingImages(written, registry, settings);
  const there = without(all, missing);
  const maybe = options.maybe ? found.maybe.map(({ image }) => image).filter(isPublished) : [];
  const look = there.length > 0 && (options.refresh || options.platforms !== undefined);
  if (missing.length === 0 && maybe.length === 0 && !look) {
    return { ...nothingToDo(options), loaded: there.map(formatReference), skipped, failed: invalid };
  }

  // Loaded lazily: the copy engine and the HTTP client cost start-up time, and a run with nothing to do does not need them.
  const [{ cacheImages }, { movedImages, unsuitedImages }, { imageHosts }] = await Promise.all([
    import('./cache-images.ts'),
    import('./moved-images.ts'),
    import('../private-registry/registry-clients.ts'),
  ]);
  await using hosts = await imageHosts(registry.address, settings, {
    ...(options.onEvent && { onEvent: options.onEvent }),
  });
  const ends: CacheEnds = { registry, hosts, settings };
  const isList = items.items.length === 1 && items.items[0] === '-';
  const going = { ...options, keepGoing: options.keepGoing || isList };
  const { moved, failed } = options.refresh ? await movedImages(there, ends, going) : { moved: [], failed: [] };
  const unsuited = options.platforms ? await unsuitedImages(without(there, moved), options.platforms, ends) : [];
  const confirmed = await confirmedImages(maybe, ends);
  const result = await cacheImages(uniqueNames([...missing, ...moved, ...unsuited, ...confirmed]), ends, going);
  return {
    ...result,
    failed: [...invalid, ...failed, ...result.failed],
    loaded: without(there, [...moved, ...unsuited]).map(formatReference),
    skipped,
  };
}

interface Sorted {
  /** Full names, by the text in the files. */
  readonly names: ReadonlyMap<string, FullReference>;
  readonly skipped: readonly string[];
  readonly invalid: readonly FailedImage[];
}

/** Errors: REFERENCE_INVALID, unless `keepGoing`. */
function sortOut(images: readonly string[], { keepGoing = false }: PreloadOptions): Sorted {
  const { names, invalid } = writtenReferences(images, keepGoing);
  const built = [...names].filter(([, name]) => name.tag?.startsWith('local')).map(([image]) => image);
  return { names: new Map([...names].filter(([image]) => !built.includes(image))), skipped: built, invalid };
}

/** Whether a host can have it: a valid reference, and not an image that is built here. */
function isPublished(image: string): boolean {
  const reference = tryParseReference(image);
  return reference !== undefined && !reference.tag?.startsWith('local');
}

/** Of strings that only look like an image, those that their host has. If a host gives no answer, the string is left out with a note. */
async function confirmedImages(
  images: readonly string[],
  { registry, hosts, settings }: CacheEnds,
): Promise<readonly FullReference[]> {
  const missing = await missingImages(images, registry, settings);
  const confirmed = await Promise.all(
    missing.map(async (name) => {
      try {
        const wanted = name.digest ?? name.tag ?? '';
        return (await hosts.registryOf(name).statManifest(name.path, wanted, callOptions(settings))) ? [name] : [];
      } catch (error) {
        if (!isImagesError(error) || error.code === 'ABORTED') throw error;
        settings.onNote?.(`${formatReference(name)} may be an image, its host does not say: ${error.message}`);
        return [];
      }
    }),
  );
  return confirmed.flat();
}

function without(names: readonly FullReference[], others: readonly FullReference[]): readonly FullReference[] {
  const texts = new Set(others.map(formatReference));
  return names.filter((name) => !texts.has(formatReference(name)));
}

function nothingToDo({ dryRun = false }: PreloadOptions): Omit<TransferResult, 'failed'> {
  return { dryRun, planned: [], copied: [], requests: 0, fetched: 0, alreadyThere: 0 };
}
