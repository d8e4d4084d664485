// The connections of a server: limited in number (open-connections.ts), with one request at a time on each (request-turns.ts). Relies on node:net.
import type { Socket } from 'node:net';
import type { ServerLimits } from './limits.ts';
import { createOpenConnections } from './open-connections.ts';
import { createRequestTurns, type RequestOnConnection } from './request-turns.ts';

export interface Connections {
  /** Accepts a new connection. If there are too many, the one that has been idle longest is closed; if none is idle, the new one. */
  admit(socket: Socket): void;
  /**
   * Calls `start` when all earlier requests of the connection have been answered; never if the connection ends before. Streams of HTTP/2
   * run beside each other; beyond the limits one is refused so that its client can send it again.
   * While a request waits, nothing more is read, so a client that sends ahead without reading causes no work.
   */
  inTurn(request: RequestOnConnection, start: () => void): void;
  /** How many there are. */
  readonly size: number;
  /** How many requests are being answered. */
  readonly busy: number;
  readonly isStopping: boolean;
  /** Aborted when that begins. */
  readonly stopping: AbortSignal;
  /** Waiting requests are not started any more. */
  stop(): void;
}

export function createConnections(
  limits: Pick<ServerLimits, 'connections' | 'connectionsPerClient' | 'waitingRequests'>,
): Connections {
  const open = createOpenConnections(limits);
  const turns = createRequestTurns(open, limits);
  const stopping = new AbortController();
  return {
    admit: (socket) => open.admit(socket, () => turns.forget(socket)),
    inTurn: turns.inTurn,
    get size() {
      return open.size;
    },
    get busy() {
      return turns.busy;
    },
    get isStopping() {
      return stopping.signal.aborted;
    },
    stopping: stopping.signal,
    stop: () => {
      stopping.abort(new Error('the server stops'));
      turns.stop();
    },
  };
}
