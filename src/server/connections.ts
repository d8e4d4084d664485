// The connections of a server: limited in number, with one request at a time on each. Relies on node:net.
import type { ServerResponse } from 'node:http';
import { isIPv4, isIPv6, type Socket } from 'node:net';
import { createClientCounts } from './client-counts.ts';
import type { ServerLimits } from './limits.ts';

export interface Connections {
  /** Accepts a new connection. If there are too many, the one that has been idle longest is closed; if none is idle, the new one. */
  admit(socket: Socket): void;
  /**
   * Calls `start` when all earlier requests of the connection have been answered; never if the connection ends before.
   * While a request waits, nothing more is read, so a client that sends ahead without reading causes no work.
   */
  inTurn(socket: Socket, response: ServerResponse, start: () => void): void;
  /** How many requests are being answered. */
  readonly busy: number;
  /** Waiting requests are not started any more. */
  stop(): void;
}

interface Connection {
  readonly client: string;
  /** Requests that wait for an earlier one of their connection. */
  readonly waiting: (() => void)[];
  isBusy: boolean;
}

export function createConnections(
  limits: Pick<ServerLimits, 'connections' | 'connectionsPerClient' | 'waitingRequests'>,
): Connections {
  const connections = new Map<Socket, Connection>();
  const perClient = createClientCounts();
  /** Connections without a request; the one idle longest comes first. */
  const idle = new Set<Socket>();
  let waiting = 0;
  let busy = 0;
  let isStopping = false;

  function forget(socket: Socket): void {
    const connection = connections.get(socket);
    if (!connection) return;
    connections.delete(socket);
    idle.delete(socket);
    perClient.change(connection.client, -1);
    waiting -= connection.waiting.length;
    connection.waiting.length = 0;
  }

  /** Closes the connection that has been idle longest. Returns false if none is idle. */
  function closeIdle(client?: string): boolean {
    for (const socket of idle) {
      if (client !== undefined && connections.get(socket)?.client !== client) continue;
      forget(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  function hasRoom(client: string): boolean {
    if (perClient.of(client) >= limits.connectionsPerClient && !closeIdle(client)) return false;
    return connections.size < limits.connections || closeIdle();
  }

  function begin(socket: Socket, connection: Connection, response: ServerResponse, start: () => void): void {
    connection.isBusy = true;
    busy++;
    idle.delete(socket);
    response.once('close', () => {
      busy--;
      connection.isBusy = false;
      next(socket, connection);
    });
    start();
  }

  function next(socket: Socket, connection: Connection): void {
    if (!connections.has(socket)) return;
    if (isStopping) {
      socket.destroy();
      return;
    }
    const first = connection.waiting.shift();
    if (!first) {
      idle.add(socket);
      return;
    }
    waiting--;
    if (connection.waiting.length === 0) socket.resume();
    // Yields to the event loop: requests that can be answered at once would otherwise keep all other connections waiting.
    setImmediate(() => {
      if (connections.has(socket)) first();
    });
  }

  return {
    admit: (socket) => {
      const client = clientOf(socket);
      if (!hasRoom(client)) {
        socket.destroy();
        return;
      }
      connections.set(socket, { client, waiting: [], isBusy: false });
      perClient.change(client, 1);
      idle.add(socket);
      socket.once('close', () => forget(socket));
    },
    inTurn: (socket, response, start) => {
      const connection = connections.get(socket);
      if (!connection) return;
      if (!connection.isBusy) {
        begin(socket, connection, response, start);
        return;
      }
      if (waiting >= limits.waitingRequests) {
        forget(socket);
        socket.destroy();
        return;
      }
      waiting++;
      connection.waiting.push(() => begin(socket, connection, response, start));
      // After the parser has finished with its current input, because it resumes reading after each message by itself.
      queueMicrotask(() => {
        if (connection.waiting.length > 0) socket.pause();
      });
    },
    get busy() {
      return busy;
    },
    stop: () => {
      isStopping = true;
    },
  };
}

/** What counts as one client: an IPv4 address, or an IPv6 network of 64 bits, because every IPv6 user has a whole one. */
export function clientOf({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string {
  const plain = remoteAddress.replace(/^::ffff:/i, '');
  if (isIPv4(plain) || !isIPv6(plain)) return plain;
  const [head = '', tail] = (plain.split('%')[0] ?? '').split('::');
  const before = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - before.length - (tail === '' ? 0 : tail.split(':').length);
  const groups = [...before, ...new Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':')];
  return groups.slice(0, 4).join(':');
}
