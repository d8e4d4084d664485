// The message of an error for people, made from its data here and nowhere else. Pure.
import type { ErrorCode } from './error-codes.ts';

/** A part of a copy. */
export interface FailedPart {
  /** As people name it. */
  readonly image: string;
  readonly end: 'source' | 'destination';
  /** The end's label. */
  readonly label: string;
  /** `manifest sha256:…`, `blob sha256:…`. */
  readonly what: string;
  /** Files and daemons say better what they have. */
  readonly isRegistry: boolean;
}

/** What a message is made of, beside its summary. */
export interface MessageParts {
  /** The other side's own words, quoted and without secrets: they end the message, in brackets where the summary does not end with them. */
  readonly said?: string;
  /** The part of a copy that failed: the message begins with its image. */
  readonly part?: FailedPart;
}

export function messageOf(code: ErrorCode, summary: string, { said, part }: MessageParts): string {
  const message = said && !summary.endsWith(said) ? `${summary} [${said}]` : summary;
  return part ? messageOfPart(code, message, part) : message;
}

/** Begins with the image. What registries say of it themselves, and a source that is called like its image, need no more words. */
function messageOfPart(code: ErrorCode, message: string, { image, end, label, what, isRegistry }: FailedPart): string {
  const unknown = code === 'MANIFEST_UNKNOWN' || code === 'NAME_UNKNOWN';
  if (unknown && end === 'source' && what === 'manifest' && isRegistry)
    return `${image}: its registry has no such image`;
  if (message.includes(image)) return `${image}: ${message}`;
  const which = label.includes(image) ? end : `${end} ${label}`;
  return `${image}: ${which} fails at ${what}: ${message}`;
}
