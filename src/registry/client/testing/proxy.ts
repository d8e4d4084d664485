// An http proxy on loopback that connects every host to one address, and records requests.
import { createServer, type IncomingMessage, request as send } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface TestProxy extends AsyncDisposable {
  readonly address: string;
  /** `CONNECT host:port` and `GET http://…`. */
  readonly seen: readonly string[];
  readonly authorizations: readonly (string | undefined)[];
}

export async function startProxy(target: { readonly port: number; readonly refuse?: number }): Promise<TestProxy> {
  const seen: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const note = (request: IncomingMessage) => {
    seen.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers['proxy-authorization']);
  };
  const server = createServer((request, response) => {
    note(request);
    const { pathname, search } = new URL(request.url ?? '');
    const headers = { ...request.headers };
    const onward = send({
      host: '127.0.0.1',
      port: target.port,
      path: pathname + search,
      method: request.method,
      headers,
    });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    note(request);
    sockets.add(socket);
    if (target.refuse !== undefined) {
      socket.end(`HTTP/1.1 ${target.refuse} No\r\n\r\n`);
      return;
    }
    const onward = connect(target.port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    sockets.add(onward);
    for (const each of [socket, onward]) each.on('error', () => each.destroy());
    socket.pipe(onward).pipe(socket);
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    authorizations,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
