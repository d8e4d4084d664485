// A server on a Unix socket that behaves like a Docker daemon with faults that the real one cannot be made to have.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSocketServer } from 'node:net';

/** Answers all requests except `/_ping`. The path has no version. */
export type Answer = (path: string, request: IncomingMessage, response: ServerResponse) => void;

export interface FakeEngine extends AsyncDisposable {
  /** For `$DOCKER_HOST`. */
  readonly host: string;
  /** The API versions of the requests, in order. */
  readonly versions: readonly string[];
}

export async function fakeEngine(socket: string, answer: Answer, api = '1.41'): Promise<FakeEngine> {
  const versions: string[] = [];
  const server = createServer((request, response) => {
    response.setHeader('api-version', api);
    if (request.url === '/_ping') {
      response.end('OK');
      return;
    }
    const [, version = '', path = ''] = /^\/v([\d.]+)(\/.*)$/.exec(request.url ?? '') ?? [];
    versions.push(version);
    answer(path, request, response);
  });
  await listen(server, socket);
  return {
    host: `unix://${socket}`,
    versions,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Accepts connections and never answers. */
export async function hangingSocket(socket: string): Promise<AsyncDisposable> {
  const connections = new Set<{ destroy(): void }>();
  const server = createSocketServer((connection) => connections.add(connection.on('error', () => {})));
  await new Promise<void>((done) => server.listen(socket, done));
  return {
    [Symbol.asyncDispose]: async () => {
      for (const connection of connections) connection.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((done) => server.listen(socket, done));
}
