// Errors of a copy say which end failed, at which part of which image; code and hint stay the registry's.
import type { FailedPart } from '../oci/error-message.ts';
import { type ErrorCode, ImagesError, isImagesError } from '../oci/errors.ts';
import { transportNamed } from '../transports/transports.ts';

export interface Part extends Omit<FailedPart, 'isRegistry'> {
  /** What to do, where it is known better here than at that end. */
  readonly hint?: string;
}

/** Bugs, aborts and errors that already say where they come from pass as they are. */
export function failureOf(error: unknown, part: Part): unknown {
  if (!isImagesError(error) || described.has(error)) return error;
  if (error.code === 'ABORTED' || error.code === 'PLATFORM_UNKNOWN') return error;
  const { hint: known, ...failed } = part;
  const hint = known ?? error.hint ?? (part.end === 'source' ? HINTS[error.code] : undefined);
  const failure = new ImagesError(error.code, error.message, {
    part: { ...failed, isRegistry: isRegistry(part.label) },
    ...(hint !== undefined && { hint }),
    cause: error,
  });
  described.add(failure);
  return failure;
}

/** The error, which says all that is to be said. */
export function asItStands(error: ImagesError): ImagesError {
  described.add(error);
  return error;
}

const DAMAGED = 'The copy there is damaged: write it anew, or take the image from another place.';

/** What to do where a source's own error does not know. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  BAD_ANSWER: 'Check the host: a proxy or a login page may stand in its place.',
  BLOB_UNKNOWN: 'A part of the image is not there: push it there again, or take the image from another place.',
  BROKEN_OFF: 'Run it again: it goes on from there.',
  DIGEST_INVALID: DAMAGED,
  MANIFEST_INVALID: 'Make the image again with a current tool, or take it from another place.',
  MANIFEST_TOO_LARGE: 'Check the name: no image has so large a manifest.',
  SIZE_INVALID:
    'What is there and what the image says of it differ: write it anew, or take the image from another place.',
};

/** Files and daemons say better what they have. */
function isRegistry(label: string): boolean {
  const transport = transportNamed(label.slice(0, Math.max(0, label.indexOf(':'))));
  return transport === undefined || transport.name === 'docker';
}

const described = new WeakSet<ImagesError>();
