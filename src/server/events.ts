// Events of a running server, for `serve --verbose`, logs and metrics. Sizes in bytes, times in milliseconds.
import type { Asker } from '../access/contract.ts';

/** As in request.ts. `token`: the end-point that gives tokens. `other`: what is no request that the registry knows, as with a name that cannot be one. */
export const REQUEST_KINDS = [
  ...(['ping', 'blob-get', 'manifest-get', 'tag-list', 'referrer-list', 'catalog'] as const),
  ...(['upload-start', 'upload-whole', 'upload-chunk', 'upload-finish', 'upload-status', 'upload-cancel'] as const),
  ...(['blob-mount', 'manifest-put', 'tag-delete', 'manifest-delete', 'blob-delete'] as const),
  ...(['about', 'health', 'ready', 'metrics', 'events', 'token', 'not-found', 'method-not-allowed', 'other'] as const),
] as const;

export type RequestKind = (typeof REQUEST_KINDS)[number];

export interface RequestEvent {
  readonly type: 'request';
  /** The client's X-Request-ID if it is short and plain, else a new one. */
  readonly id: string;
  readonly kind: RequestKind;
  /** The host for which the name was requested. */
  readonly host?: string;
  /** As in the request; names that cannot be one are only in `url`. */
  readonly repository?: string;
  /** The tag or digest that the request names. */
  readonly reference?: string;
  /** The digest of what was sent or put, where the answer tells it. */
  readonly digest?: string;
  /** What the client calls itself: one short line. */
  readonly userAgent?: string;
  readonly method: string;
  /** As in the request line: anything, with secrets perhaps. */
  readonly url: string;
  readonly status: number;
  /** The error code in the answer, if the request was refused. */
  readonly code?: string;
  /** Bytes of the body that were sent; fewer than announced if the client disconnected. */
  readonly sent: number;
  readonly received: number;
  readonly duration: number;
  /** The address of the client; behind a proxy on this machine, what the proxy says. */
  readonly remote: string;
  /** How the asker is known; absent before that is known, as with wrong credentials. */
  readonly via?: Asker['via'];
  /** Who has logged in. */
  readonly user?: string;
  /** Whose password was wrong; absent if there is no such user. */
  readonly tried?: string;
  /** The name of the token that was used, if it is one of a machine. */
  readonly token?: string;
}

/** A problem of the server itself (a bug, a full disk), never of the input. The client is told only what kind it is. */
export interface FailureEvent {
  readonly type: 'failure';
  /** Absent for a check of health, which many requests share. */
  readonly id?: string;
  readonly method: string;
  /** As of `RequestEvent`. */
  readonly url: string;
  readonly error: unknown;
}

export type ServerEvent = RequestEvent | FailureEvent;

export type OnServerEvent = (event: ServerEvent) => void;
