// `lreg_missingimages`: the images that overlays use and the private registry does not have, as full names.

import { createLimiter } from '../../io/concurrency/limiter.ts';
import { checkArguments, objectWith } from '../../oci/arguments.ts';
import { type FullReference, formatReference, fullReference, parseReference } from '../../oci/reference.ts';
import type { Warning } from '../../scan/contract.ts';
import { CALL, REGISTRY, SETTINGS, TEXTS } from '../arguments.ts';
import { type OverlayItems, overlayImages } from '../overlays/overlay-images.ts';
import { pauseImage } from '../overlays/pause-image.ts';
import { findImage, openPrivateRegistry, type PrivateRegistry } from '../private-registry/private-registry.ts';
import type { Settings, TaskCall } from '../settings.ts';

const REQUESTS = 16;

export interface MissingRequest extends OverlayItems {
  /** The pause image. Absent: taken from the environment. */
  readonly pause?: string;
  readonly onWarning?: (warning: Warning) => void;
}

/** The images that overlays use, and the pause image, which the private registry lacks. Errors: those of overlayImages, REFERENCE_INVALID, REGISTRY_NOT_FOUND. */
export async function missingOverlayImages(
  request: MissingRequest,
  settings: Settings,
): Promise<readonly FullReference[]> {
  checkArguments({ request: [request, objectWith({ items: TEXTS })], settings: [settings, SETTINGS] });
  const { pause: named, onWarning, ...items } = request;
  const registry = await openPrivateRegistry(settings);
  const pause = await pauseImage(named, settings);
  const found = await overlayImages(items, settings);
  for (const warning of found.warnings) onWarning?.(warning);
  return await missingImages([...(pause === undefined ? [] : [pause]), ...found.images], registry, settings);
}

/** In the given order, without duplicates. Errors: REFERENCE_INVALID. */
export async function missingImages(
  images: readonly string[],
  registry: PrivateRegistry,
  settings: TaskCall,
): Promise<readonly FullReference[]> {
  checkArguments({ images: [images, TEXTS], registry: [registry, REGISTRY], settings: [settings, CALL] });
  const ask = createLimiter(REQUESTS);
  const found = await ask.map(
    images,
    async (image) => {
      const reference = parseReference(image);
      return {
        name: fullReference(reference),
        loaded: await findImage(reference, registry, settings, { whole: true }),
      };
    },
    settings.signal,
  );
  return uniqueNames(found.flatMap(({ name, loaded }) => (loaded ? [] : [name])));
}

/** Removes duplicates, keeping the first. */
export function uniqueNames(names: readonly FullReference[]): readonly FullReference[] {
  return [...new Map(names.map((name) => [formatReference(name), name])).values()];
}
