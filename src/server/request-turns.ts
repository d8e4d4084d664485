// One request at a time on each connection: what a client sends ahead (HTTP pipelining) waits, and nothing more is read from it meanwhile.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ServerLimits } from './limits.ts';
import type { OpenConnections } from './open-connections.ts';

export interface RequestTurns {
  /** As for `Connections`. */
  inTurn(socket: Socket, response: ServerResponse, start: () => void): void;
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
  limits: Pick<ServerLimits, 'waitingRequests'>,
): RequestTurns {
  const turns = new Map<Socket, Turn>();
  let waiting = 0;
  let busy = 0;
  let isStopping = false;

  function turnOf(socket: Socket): Turn {
    const turn = turns.get(socket) ?? { waiting: [], isBusy: false };
    turns.set(socket, turn);
    return turn;
  }

  function begin(socket: Socket, turn: Turn, response: ServerResponse, start: () => void): void {
    turn.isBusy = true;
    busy++;
    open.setIdle(socket, false);
    response.once('close', () => {
      busy--;
      next(socket, turn);
    });
    start();
  }

  function next(socket: Socket, turn: Turn): void {
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
    if (turn.waiting.length === 0) socket.resume();
    // Yields to the event loop: requests that can be answered at once would otherwise keep all other connections waiting.
    setImmediate(() => {
      if (open.has(socket)) first();
    });
  }

  return {
    inTurn: (socket, response, start) => {
      if (!open.has(socket)) return;
      const turn = turnOf(socket);
      if (!turn.isBusy) {
        begin(socket, turn, response, start);
        return;
      }
      if (waiting >= limits.waitingRequests) {
        open.close(socket);
        return;
      }
      waiting++;
      turn.waiting.push(() => begin(socket, turn, response, start));
      // After the parser has finished with its current input, because it resumes reading after each message by itself.
      queueMicrotask(() => {
        if (turn.waiting.length > 0) socket.pause();
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
      return busy;
    },
    stop: () => {
      isStopping = true;
    },
  };
}
