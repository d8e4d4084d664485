// The one error class of the program. `code` is for programs, `message` for people, `hint` says what to do next.

/** Error codes of the OCI distribution specification 1.1, section "Error Codes", plus those that registries use beside it. */
export type RegistryErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_TOO_LARGE'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'PAGINATION_NUMBER_INVALID'
  | 'RANGE_INVALID'
  | 'SIZE_INVALID'
  | 'TAG_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNSUPPORTED';

/** Codes of all other errors that the user can mend. */
export type ErrorCode =
  | RegistryErrorCode
  | 'ABORTED'
  | 'ADDRESS_IN_USE'
  | 'ADDRESS_NOT_PERMITTED'
  | 'ADDRESS_UNAVAILABLE'
  | 'ALREADY_RUNNING'
  | 'BAD_ANSWER'
  | 'BROKEN_OFF'
  | 'BUILD_FAILED'
  | 'COMPRESSION_INVALID'
  | 'CONFIG_INVALID'
  | 'DOCKERFILE_INVALID'
  | 'FILE_UNREADABLE'
  | 'INCOMPLETE'
  | 'LOCKED'
  | 'NO_ACCESS'
  | 'NO_REGISTRY'
  | 'NO_SPACE'
  | 'NOT_RUNNING'
  | 'OVERLAY_UNKNOWN'
  | 'PATH_UNKNOWN'
  | 'PLACE_INVALID'
  | 'PLATFORM_INVALID'
  | 'PLATFORM_UNKNOWN'
  | 'READ_ONLY'
  | 'REFERENCE_INVALID'
  | 'RUN_UNAVAILABLE'
  | 'SERVER_ERROR'
  | 'TAR_INVALID'
  | 'TIMEOUT'
  | 'UNREACHABLE'
  | 'USAGE'
  | 'YAML_INVALID';

export interface ErrorDetails {
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
 * An error that a user can reach. Bugs stay plain `Error`s.
 * `message` is one line and names the offending value. It never holds a credential: user and password are removed here from any URL in it.
 */
export class ImagesError extends Error {
  override readonly name = 'ImagesError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly status: number | undefined;
  readonly position: TextPosition | undefined;
  readonly excerpt: readonly string[];
  #request: FailedRequest | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(withoutUserinfo(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint === undefined ? undefined : withoutUserinfo(details.hint);
    const cause = details.cause instanceof ImagesError ? details.cause : undefined;
    this.#request = details.request ?? cause?.request;
    this.status = details.status ?? cause?.status;
    this.position = details.position;
    // The mask has the length of what it hides, because the carets below point into this line.
    this.excerpt = (details.excerpt ?? []).map((line) => withoutUserinfo(line, (hidden) => '*'.repeat(hidden.length)));
  }

  /** The HTTP request that failed, if there was one, made from the fields `method` and `url`. */
  get request(): FailedRequest | undefined {
    return this.#request;
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
