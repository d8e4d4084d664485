// Events of a running server, for `serve --verbose`, logs and metrics. Sizes in bytes, times in milliseconds.
import type { Asker } from '../access/contract.ts';

export interface RequestEvent {
  readonly type: 'request';
  readonly method: string;
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

export type ServerEvent =
  | RequestEvent
  /** A problem of the server itself (a bug, a full disk), never of the input. The client is told only what kind it is. */
  | { readonly type: 'failure'; readonly method: string; readonly url: string; readonly error: unknown };

export type OnServerEvent = (event: ServerEvent) => void;
