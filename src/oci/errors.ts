// The one error class of the program. `code` is for programs, `message` for people, `hint` says what to do next.
import type { ErrorCode, OtherErrorCode, PolicyErrorCode, RegistryErrorCode } from './error-codes.ts';
import { type FailedPart, type MessageParts, messageOf } from './error-message.ts';

export type { ErrorCode, OtherErrorCode, PolicyErrorCode, RegistryErrorCode };

export interface ErrorDetails extends MessageParts {
  /** The message and the hint are for clients of the embedded registry, too: they name nothing of the operator's machine. */
  readonly isPublic?: boolean;
  /** What the user can do next: one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** The HTTP status that a registry answered with, if a registry answered. */
  readonly status?: number;
  /** The HTTP request that failed, if there was one. */
  readonly request?: FailedRequest;
  /** Where in a text the mistake is. */
  readonly position?: TextPosition;
  /** The line with the mistake, and below it a line of carets that points at the mistake. */
  readonly excerpt?: readonly string[];
}

export interface FailedRequest {
  readonly method: string;
  /** Without user, password and query: they can be secrets. */
  readonly url: string;
}

/** Line and column count from 1. */
export interface TextPosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * An error that a user can reach. Bugs stay plain `Error`s. What is known of it is data; `message` is made from that for people, in `error-message.ts`.
 * `message` is one line and names the offending value. It never holds a credential: user and password are removed here from any URL in it.
 */
export class ImagesError extends Error {
  override readonly name = 'ImagesError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly status: number | undefined;
  readonly isPublic: boolean;
  /** The other side's own words, quoted and without secrets. */
  readonly said: string | undefined;
  /** The part of a copy that failed. */
  readonly part: FailedPart | undefined;
  readonly position: TextPosition | undefined;
  readonly excerpt: readonly string[];
  #request: FailedRequest | undefined;

  /** `summary` is the message without what `details.said` and `details.part` add to it. */
  constructor(code: ErrorCode, summary: string, details: ErrorDetails = {}) {
    super(
      withoutUserinfo(messageOf(code, summary, details)),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.isPublic = details.isPublic ?? false;
    this.hint = details.hint === undefined ? undefined : withoutUserinfo(details.hint);
    const cause = details.cause instanceof ImagesError ? details.cause : undefined;
    this.#request = details.request ?? cause?.request;
    this.status = details.status ?? cause?.status;
    const said = details.said || cause?.said;
    this.said = said === undefined ? undefined : withoutUserinfo(said);
    const part = details.part ?? cause?.part;
    this.part = part && { ...part, image: withoutUserinfo(part.image), label: withoutUserinfo(part.label) };
    this.position = details.position;
    // The mask has the length of what it hides, because the carets below point into this line.
    this.excerpt = (details.excerpt ?? []).map((line) => withoutUserinfo(line, (hidden) => '*'.repeat(hidden.length)));
  }

  /** The HTTP request that failed, if there was one, made from the fields `method` and `url`. */
  get request(): FailedRequest | undefined {
    return this.#request;
  }

  /** The end of a copy that failed. */
  get end(): FailedPart['end'] | undefined {
    return this.part?.end;
  }

  get method(): string | undefined {
    return this.#request?.method;
  }

  get url(): string | undefined {
    return this.#request?.url;
  }

  /** Records which request failed, unless code closer to the failure has recorded it already. */
  during(request: FailedRequest): this {
    this.#request ??= request;
    return this;
  }
}

/** Masks user and password in `scheme://user:password@host`, and in `user:password@host/…`, which people write in front of an image name. */
export function withoutUserinfo(text: string, mask: (hidden: string) => string = () => '***'): string {
  if (!text.includes('@')) return text;
  return text
    .replace(/(?<=:\/\/)[^\s/?#[\]"'<>]+(?=@)/g, (user, at: number, whole: string) =>
      // For ssh a user name alone is no secret. For http it can be one (a token).
      whole.startsWith('ssh://', at - 6) && !user.includes(':') ? user : mask(user),
    )
    .replace(/(?<![\w./:@*+-])[\w.+-]+:[^\s/:@[\]"'<>]+(?=@[\w-]+(?:\.[\w-]+)*(?::\d+)?\/)/g, mask);
}

/** True for an ImagesError; with codes, only for one of these. */
export function isImagesError(error: unknown, ...codes: readonly ErrorCode[]): error is ImagesError {
  return error instanceof ImagesError && (codes.length === 0 || codes.includes(error.code));
}
