// What a handler answers: a value, sent in one place only (send.ts). And the one table from error codes to HTTP. Relies on oci/ only.
import { type ErrorCode, ImagesError } from '../oci/errors.ts';
import type { Bytes } from '../registry/contract.ts';

export type ReplyHeaders = Readonly<Record<string, string | number | readonly string[]>>;

export interface Reply {
  readonly status: number;
  readonly headers?: ReplyHeaders;
  /** A stream needs its Content-Length among the headers. */
  readonly body?: Uint8Array | Bytes;
  /** Why it is an error: for the log; the client reads it in the body. */
  readonly code?: string;
}

/** HTTP status of each code that a request can end in, with the code on the wire where that is another. */
const STATUS: Readonly<Partial<Record<ErrorCode, number | readonly [status: number, wire: string]>>> = {
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
  READ_ONLY: [405, 'UNSUPPORTED'],
  ABORTED: [503, 'UNAVAILABLE'],
  INCOMPLETE: [503, 'UNAVAILABLE'],
  LOCKED: [503, 'UNAVAILABLE'],
  NO_ACCESS: [503, 'UNAVAILABLE'],
  NO_SPACE: 507,
  BAD_ANSWER: [502, 'UNAVAILABLE'],
  BROKEN_OFF: [502, 'UNAVAILABLE'],
  SERVER_ERROR: [502, 'UNAVAILABLE'],
  UNREACHABLE: [502, 'UNAVAILABLE'],
  TIMEOUT: [504, 'UNAVAILABLE'],
};

/** True for what a client or the machine did wrong; false for a bug of ours, which `errorReply` answers with 500. */
export function isExpected(error: unknown): error is ImagesError {
  return error instanceof ImagesError && error.code in STATUS;
}

/** `{errors: [{code, message, detail}]}` (distribution specification, "Error Codes"). A bug says nothing about itself. */
export function errorReply(error: unknown, headers: ReplyHeaders = {}): Reply {
  if (!isExpected(error)) return errorBody(500, { code: 'UNKNOWN', message: 'unknown error' }, headers);
  const entry = STATUS[error.code] ?? 500;
  const [status, code] = typeof entry === 'number' ? [entry, error.code] : entry;
  const detail = error.hint === undefined ? {} : { detail: { hint: error.hint } };
  // RFC 9110, section 15.5.6: a 405 says what is allowed; what stays allowed when writing is not, is reading.
  const allow = status === 405 && !('Allow' in headers) ? { Allow: 'GET, HEAD' } : {};
  return errorBody(status, { code, message: error.message, ...detail }, { ...allow, ...headers });
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
