// Errors of a copy say which end failed, at which part of which image; code and hint stay the registry's.
import { ImagesError, isImagesError } from '../oci/errors.ts';

export interface Part {
  readonly image: string;
  readonly end: 'source' | 'destination';
  /** The end's label. */
  readonly label: string;
  /** `manifest sha256:…`, `blob sha256:…`. */
  readonly what: string;
}

/** Bugs, aborts and errors that already say where they come from pass as they are. */
export function failureOf(error: unknown, part: Part): unknown {
  if (!isImagesError(error) || described.has(error)) return error;
  if (error.code === 'ABORTED' || error.code === 'PLATFORM_UNKNOWN') return error;
  const failure = new ImagesError(
    error.code,
    `${part.image}: ${part.end} ${part.label} fails at ${part.what}: ${error.message}`,
    {
      ...(error.hint !== undefined && { hint: error.hint }),
      ...(error.status !== undefined && { status: error.status }),
      cause: error,
    },
  );
  described.add(failure);
  return failure;
}

const described = new WeakSet<ImagesError>();
