// Replies as values, which only send.ts writes. Which status an error has, its code says (oci/error-codes.ts). Relies on oci/ only.

import type { Bytes } from '../io/streams/bytes.ts';
import { BUSY, type CodeAnswer, meaningOf } from '../oci/error-codes.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { isSuppressedError } from '../oci/suppressed-error.ts';

export type ReplyHeaders = Readonly<Record<string, string | number | readonly string[]>>;

export interface Reply {
  readonly status: number;
  readonly headers?: ReplyHeaders;
  /** For a stream, `headers` must have a Content-Length; or it is `isEndless`. */
  readonly body?: Uint8Array | Bytes;
  /** The body goes on until its source ends, or the client goes. */
  readonly isEndless?: true;
  /** Replaces the words after the status: container clients show these, not the body, of a status from 500 on. */
  readonly reason?: string;
  /** The error code, for the log. The client finds it in the body. */
  readonly code?: string;
}

/** In characters. Longer messages mostly repeat what the client sent. */
const MAX_MESSAGE = 1000;

/** What a client may know about a problem of the server: never the error's own message, which may name files and hosts of the operator. */
interface Trouble {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const BUG: Trouble = { status: 500, code: 'UNKNOWN', message: 'unknown error' };

/** System errors for temporary shortages of files and memory. */
const SHORTAGES: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOMEM'];

export function troubleOf(error: unknown): Trouble {
  const { status, instead } = answerTo(error) ?? {};
  return status !== undefined && instead ? { status, ...instead } : BUG;
}

function answerTo(error: unknown): CodeAnswer | undefined {
  if (error instanceof ImagesError) return meaningOf(error.code)?.answer;
  const isShortage = error instanceof Error && 'code' in error && SHORTAGES.includes(error.code);
  return isShortage ? BUSY : undefined;
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
  const answer = error instanceof ImagesError ? answerTo(error) : undefined;
  return answer !== undefined && answer.instead === undefined;
}

/** `{errors: [{code, message, detail}]}` (distribution specification, "Error Codes"). */
export function errorReply(error: unknown, headers: ReplyHeaders = {}): Reply {
  if (isRefusal(error)) {
    const status = answerTo(error)?.status ?? BUG.status;
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
