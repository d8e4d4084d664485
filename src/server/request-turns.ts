// One request at a time on each HTTP/1.1 connection: what a client sends ahead (pipelining) waits, and nothing more is read from it meanwhile. Streams of HTTP/2
// run beside each other, in limited number.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createClientCounts } from './client-counts.ts';
import { clientOf } from './client-of.ts';
import { isMultiplexed, refuseStream } from './either-http.ts';
import type { ServerLimits } from './limits.ts';
import type { OpenConnections } from './open-connections.ts';

export interface RequestOnConnection {
  /** As the server accepted it: below TLS. */
  readonly connection: Socket;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
}

export interface RequestTurns {
  /** As for `Connections`. */
  inTurn(request: RequestOnConnection, start: () => void): void;
  /** Requests of this connection that wait are not started. */
  forget(socket: Socket): void;
  readonly busy: number;
  stop(): void;
}

/** Of one connection. */
interface Turn {
  /** Requests that wait for an earlier one. */
  readonly waiting: (() => void)[];
  /** An earlier request is being answered, or is about to be. */
  isBusy: boolean;
}

export function createRequestTurns(
  open: Pick<OpenConnections, 'has' | 'setIdle' | 'close'>,
  limits: Pick<ServerLimits, 'waitingRequests' | 'connections' | 'connectionsPerClient'>,
): RequestTurns {
  const turns = new Map<Socket, Turn>();
  const streams = createStreams(open, limits);
  let waiting = 0;
  let busy = 0;
  let isStopping = false;

  function turnOf(socket: Socket): Turn {
    const turn = turns.get(socket) ?? { waiting: [], isBusy: false };
    turns.set(socket, turn);
    return turn;
  }

  function begin(request: RequestOnConnection, turn: Turn, start: () => void): void {
    const { connection, message, response } = request;
    turn.isBusy = true;
    busy++;
    open.setIdle(connection, false);
    response.once('close', () => {
      busy--;
      next(connection, message.socket, turn);
    });
    start();
  }

  /** `input` is what is read: the connection, or TLS over it. */
  function next(socket: Socket, input: Socket, turn: Turn): void {
    if (!open.has(socket)) return;
    if (isStopping) {
      socket.destroy();
      return;
    }
    const first = turn.waiting.shift();
    if (!first) {
      turn.isBusy = false;
      open.setIdle(socket, true);
      return;
    }
    waiting--;
    if (turn.waiting.length === 0) input.resume();
    // Yields to the event loop: requests that can be answered at once would otherwise keep all other connections waiting.
    setImmediate(() => {
      if (open.has(socket)) first();
    });
  }

  return {
    inTurn: (request, start) => {
      const { connection: socket, message } = request;
      if (!open.has(socket)) return;
      if (isMultiplexed(message)) {
        streams.begin(request, start);
        return;
      }
      const turn = turnOf(socket);
      if (!turn.isBusy) {
        begin(request, turn, start);
        return;
      }
      if (waiting >= limits.waitingRequests) {
        open.close(socket);
        return;
      }
      waiting++;
      turn.waiting.push(() => begin(request, turn, start));
      // After the parser has finished with its current input, because it resumes reading after each message by itself.
      queueMicrotask(() => {
        if (turn.waiting.length > 0) message.socket.pause();
      });
    },
    forget: (socket) => {
      const turn = turns.get(socket);
      if (!turn) return;
      waiting -= turn.waiting.length;
      turn.waiting.length = 0;
      turns.delete(socket);
    },
    get busy() {
      return busy + streams.busy;
    },
    stop: () => {
      isStopping = true;
    },
  };
}

interface Streams {
  begin(request: RequestOnConnection, start: () => void): void;
  readonly busy: number;
}

/** Limited as connections are, because each costs about as much: one has 64 at once, and a client may have many. */
function createStreams(
  open: Pick<OpenConnections, 'setIdle'>,
  limits: Pick<ServerLimits, 'connections' | 'connectionsPerClient'>,
): Streams {
  const onConnection = new Map<Socket, number>();
  const perClient = createClientCounts();
  let busy = 0;
  return {
    begin: ({ connection, message, response }, start) => {
      const client = clientOf(connection);
      if (busy >= limits.connections || perClient.of(client) >= limits.connectionsPerClient) {
        refuseStream(message);
        return;
      }
      busy++;
      perClient.change(client, 1);
      onConnection.set(connection, (onConnection.get(connection) ?? 0) + 1);
      open.setIdle(connection, false);
      response.once('close', () => {
        busy--;
        perClient.change(client, -1);
        const left = (onConnection.get(connection) ?? 1) - 1;
        if (left > 0) onConnection.set(connection, left);
        else {
          onConnection.delete(connection);
          open.setIdle(connection, true);
        }
      });
      start();
    },
    get busy() {
      return busy;
    },
  };
}
