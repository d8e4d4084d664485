// `lreg_missingimages`: filters images that the private registry does not have; returns full names.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { type FullReference, formatReference, fullReference, parseReference } from '../../oci/reference.ts';
import { findImage, type PrivateRegistry } from '../private-registry/private-registry.ts';
import type { TaskCall } from '../settings.ts';

const REQUESTS = 16;

/** In the given order, without duplicates. Errors: REFERENCE_INVALID. */
export async function missingImages(
  images: readonly string[],
  registry: PrivateRegistry,
  settings: TaskCall,
): Promise<readonly FullReference[]> {
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
