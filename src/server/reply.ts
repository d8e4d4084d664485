// Replies as values, which only send.ts writes, and the tables from error codes to HTTP statuses. Relies on oci/ only.

import type { Bytes } from '../io/streams/bytes.ts';
import { type ErrorCode, ImagesError, isImagesError } from '../oci/errors.ts';
import { isSuppressedError } from '../oci/suppressed-error.ts';

export type ReplyHeaders = Readonly<Record<string, string | number | readonly string[]>>;

export interface Reply {
  readonly status: number;
  readonly headers?: ReplyHeaders;
  /** For a stream, `headers` must have a Content-Length. */
  readonly body?: Uint8Array | Bytes;
  /** Replaces the words after the status: container clients show these, not the body, of a status from 500 on. */
  readonly reason?: string;
  /** The error code, for the log. The client finds it in the body. */
  readonly code?: string;
}

/** Errors of the client: their codes go over the wire unchanged. */
const REFUSALS: Readonly<Partial<Record<ErrorCode, number>>> = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_TOO_LARGE: 413,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  SIZE_INVALID: 400,
  TAG_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNSUPPORTED: 405,
};

/** In characters. Longer messages mostly repeat what the client sent. */
const MAX_MESSAGE = 1000;

interface Trouble {
  readonly status: number;
  readonly code: string;
  /** Replaces the error's own message, which may name files and hosts of the operator. */
  readonly message: string;
}

const BUG: Trouble = { status: 500, code: 'UNKNOWN', message: 'unknown error' };
const UPSTREAM: Trouble = { status: 502, code: 'UNAVAILABLE', message: 'another registry, asked for this, has failed' };
const BUSY: Trouble = { status: 503, code: 'UNAVAILABLE', message: 'the registry cannot do this now: try again' };

/** Problems of the machine. A code that is in neither table is a bug. */
const TROUBLES: Readonly<Partial<Record<ErrorCode, Trouble>>> = {
  ABORTED: BUSY,
  NO_ACCESS: { ...BUSY, message: 'the registry cannot use its own store' },
  NO_SPACE: { status: 507, code: 'NO_SPACE', message: "no space left on the registry's disk" },
  READ_ONLY: { status: 405, code: 'UNSUPPORTED', message: 'the registry is read-only' },
  BAD_ANSWER: UPSTREAM,
  BROKEN_OFF: UPSTREAM,
  SERVER_ERROR: UPSTREAM,
  UNREACHABLE: UPSTREAM,
  TIMEOUT: { ...UPSTREAM, status: 504, message: 'another registry, asked for this, has not answered in time' },
};

/** System errors for temporary shortages of files and memory. */
const SHORTAGES: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOMEM'];

/** What a client may know about a problem of the server. */
export function troubleOf(error: unknown): {
  readonly status: number;
  readonly code: string;
  readonly message: string;
} {
  if (error instanceof ImagesError) return TROUBLES[error.code] ?? BUG;
  return error instanceof Error && 'code' in error && SHORTAGES.includes(error.code) ? BUSY : BUG;
}

/** If an error wraps two (SuppressedError of `await using`): the one that is a problem of the server, if either is. */
export function rootOf(error: unknown): unknown {
  if (!isSuppressedError(error)) return error;
  return isRefusal(error.error) || isImagesError(error.error, 'BROKEN_OFF')
    ? rootOf(error.suppressed)
    : rootOf(error.error);
}

/** Whether it is an error of the client, and not a problem of the server or a bug. */
export function isRefusal(error: unknown): error is ImagesError {
  return error instanceof ImagesError && error.code in REFUSALS;
}

/** `{errors: [{code, message, detail}]}` (distribution specification, "Error Codes"). */
export function errorReply(error: unknown, headers: ReplyHeaders = {}): Reply {
  if (isRefusal(error)) {
    const status = REFUSALS[error.code] ?? BUG.status;
    const detail = error.hint === undefined ? {} : { detail: { hint: error.hint } };
    const message = error.message.slice(0, MAX_MESSAGE);
    return errorBody(status, { code: error.code, message, ...detail }, withAdvice(status, headers));
  }
  const { status, code, message } = troubleOf(error);
  if (!(error instanceof ImagesError) || !error.isPublic) {
    return errorBody(status, { code, message }, withAdvice(status, headers));
  }
  const detail = error.hint === undefined ? {} : { detail: { hint: error.hint } };
  const words = error.message.slice(0, MAX_MESSAGE);
  const reply = errorBody(status, { code, message: words, ...detail }, withAdvice(status, headers));
  return { ...reply, reason: words.replace(/[^\x20-\x7e]/g, '?') };
}

/** Adds `Allow` to a 405 (RFC 9110, section 15.5.6): where writing is not allowed, reading is; and Retry-After (section 10.2.3). */
function withAdvice(status: number, headers: ReplyHeaders): ReplyHeaders {
  if (status === 405) return { Allow: 'GET, HEAD', ...headers };
  return status === 429 || status === 503 ? { 'Retry-After': status === 429 ? 30 : 5, ...headers } : headers;
}

export function errorBody(
  status: number,
  error: { readonly code: string; readonly message: string; readonly detail?: unknown },
  headers: ReplyHeaders = {},
): Reply {
  return { ...jsonReply({ errors: [error] }, { status, headers }), code: error.code };
}

export function jsonReply(
  value: unknown,
  options: { readonly status?: number; readonly mediaType?: string; readonly headers?: ReplyHeaders } = {},
): Reply {
  const headers = { 'Content-Type': options.mediaType ?? 'application/json', ...options.headers };
  return { status: options.status ?? 200, headers, body: new TextEncoder().encode(`${JSON.stringify(value)}\n`) };
}

export function textReply(status: number, text: string): Reply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: new TextEncoder().encode(text) };
}
