// Which connections a server has: limited in number, for each client and altogether. The one that has been idle longest makes room for a new one.
import type { Socket } from 'node:net';
import { createClientCounts } from './client-counts.ts';
import { clientOf } from './client-of.ts';
import type { ServerLimits } from './limits.ts';

export interface OpenConnections {
  /** Closes the new connection instead if there are too many, and none is idle. `onGone` is called when it no longer counts, once. */
  admit(socket: Socket, onGone: () => void): void;
  has(socket: Socket): boolean;
  /** How many there are. */
  readonly size: number;
  /** An idle connection may be closed for a new one. A new connection is idle. */
  setIdle(socket: Socket, isIdle: boolean): void;
  close(socket: Socket): void;
}

interface Connection {
  readonly client: string;
  readonly onGone: () => void;
}

export function createOpenConnections(
  limits: Pick<ServerLimits, 'connections' | 'connectionsPerClient'>,
): OpenConnections {
  const connections = new Map<Socket, Connection>();
  const perClient = createClientCounts();
  /** Connections without a request; the one idle longest comes first. */
  const idle = new Set<Socket>();

  function forget(socket: Socket): void {
    const connection = connections.get(socket);
    if (!connection) return;
    connections.delete(socket);
    idle.delete(socket);
    perClient.change(connection.client, -1);
    connection.onGone();
  }

  function close(socket: Socket): void {
    // Before its event `close`, which comes later: the next connection has the room at once.
    forget(socket);
    socket.destroy();
  }

  /** Closes the connection that has been idle longest. Returns false if none is idle. */
  function closeIdle(client?: string): boolean {
    for (const socket of idle) {
      if (client !== undefined && connections.get(socket)?.client !== client) continue;
      close(socket);
      return true;
    }
    return false;
  }

  function hasRoom(client: string): boolean {
    if (perClient.of(client) >= limits.connectionsPerClient && !closeIdle(client)) return false;
    return connections.size < limits.connections || closeIdle();
  }

  return {
    admit: (socket, onGone) => {
      const client = clientOf(socket);
      if (!hasRoom(client)) {
        socket.destroy();
        return;
      }
      connections.set(socket, { client, onGone });
      perClient.change(client, 1);
      idle.add(socket);
      socket.once('close', () => forget(socket));
    },
    has: (socket) => connections.has(socket),
    get size() {
      return connections.size;
    },
    setIdle: (socket, isIdle) => {
      if (!isIdle) idle.delete(socket);
      else if (connections.has(socket)) idle.add(socket);
    },
    close,
  };
}
