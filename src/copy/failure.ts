// Errors of a copy name the end that failed, the image and the part. Code and hint stay the original error's.
import type { FailedPart } from '../oci/error-message.ts';
import { type ErrorCode, ImagesError, isImagesError } from '../oci/errors.ts';
import { transportNamed } from '../transports/transports.ts';

export interface Part extends Omit<FailedPart, 'isRegistry'> {
  /** A hint, if the caller knows better what to do than the failed end. */
  readonly hint?: string;
}

/** Adds the part to an error. Bugs, ABORTED, PLATFORM_UNKNOWN and errors that have a part already are returned unchanged. */
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

/** Marks an error as complete: `failureOf` returns it unchanged. */
export function asItStands(error: ImagesError): ImagesError {
  described.add(error);
  return error;
}

const DAMAGED = 'The copy there is damaged: write it anew, or take the image from another source.';

/** Hints for errors of a source that have none. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  BAD_ANSWER: 'Check the host: a proxy or a login page may stand in its place.',
  BLOB_UNKNOWN: 'A part of the image is not there: push it there again, or take the image from another source.',
  BROKEN_OFF: 'Run it again: it goes on from there.',
  DIGEST_INVALID: DAMAGED,
  MANIFEST_INVALID: 'Make the image again with a current tool, or take it from another source.',
  MANIFEST_TOO_LARGE: 'Check the name: no image has so large a manifest.',
  SIZE_INVALID:
    'What is there and what the image says of it differ: write it anew, or take the image from another source.',
};

/** Whether the label is a registry's: only then the message for an unknown image is replaced. Files and daemons describe what they have themselves. */
function isRegistry(label: string): boolean {
  const transport = transportNamed(label.slice(0, Math.max(0, label.indexOf(':'))));
  return transport === undefined || transport.name === 'docker';
}

const described = new WeakSet<ImagesError>();
