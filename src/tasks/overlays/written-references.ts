// References as users and files write them → full names. With `keepGoing`, an invalid reference is listed as a failure.
import type { FailedImage } from '../../copy/copy-plan.ts';
import { isImagesError } from '../../oci/errors.ts';
import { type FullReference, fullReference, parseReference } from '../../oci/reference.ts';

export interface WrittenReferences {
  /** Full names, by the text that was written. */
  readonly names: ReadonlyMap<string, FullReference>;
  /** Each text once. */
  readonly invalid: readonly FailedImage[];
}

/** Errors: REFERENCE_INVALID, unless `keepGoing`. */
export function writtenReferences(images: readonly string[], keepGoing: boolean): WrittenReferences {
  const names = new Map<string, FullReference>();
  const invalid: FailedImage[] = [];
  for (const image of new Set(images)) {
    try {
      names.set(image, fullReference(parseReference(image)));
    } catch (error) {
      if (!keepGoing || !isImagesError(error, 'REFERENCE_INVALID')) throw error;
      invalid.push({ image, name: { path: image }, error });
    }
  }
  return { names, invalid };
}
