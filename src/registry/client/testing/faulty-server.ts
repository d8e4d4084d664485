// A registry that misbehaves on demand. It serves the given contents, records requests, and applies the test's fault to each answer.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { digestOf } from '../../../oci/digest.ts';

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** Number of requests before this one. */
  readonly nth: number;
  readonly body: string;
}

/** Answers in place of the registry; returns `false` to let the registry answer. */
export type Fault = (
  request: SeenRequest,
  response: ServerResponse,
) => boolean | undefined | Promise<boolean | undefined>;

export interface FaultyServer extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly port: number;
  readonly requests: readonly SeenRequest[];
  /** Replaces the current fault, and clears the recorded requests. */
  inject(fault: Fault): void;
}

export interface FaultyServerOptions {
  /** The content of every repository: blobs and manifests under their digests. */
  readonly contents?: readonly Uint8Array[];
  /** The manifest with tag `latest` of every repository. */
  readonly manifest?: { readonly bytes: Uint8Array; readonly mediaType: string };
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Default: `127.0.0.1`. */
  readonly address?: string;
  /** Default: a free one. */
  readonly port?: number;
}

export async function startFaultyServer(options: FaultyServerOptions = {}): Promise<FaultyServer> {
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let fault: Fault = () => false;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>);
    const seen = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      nth: requests.length,
      body: Buffer.concat(chunks).toString(),
    };
    requests.push(seen);
    if ((await fault(seen, response)) === false) behave(seen, response, options);
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch(() => response.destroy());
  };
  const server: Server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((ready) => server.listen(options.port ?? 0, options.address ?? '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    port,
    requests,
    inject(next) {
      requests.length = 0;
      fault = next;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The correct registry: manifests by tag `latest` and by digest, blobs with ranges. */
function behave(request: SeenRequest, response: ServerResponse, options: FaultyServerOptions): void {
  const [, kind, reference = ''] = /\/(manifests|blobs)\/([^/?]+)(?:\?|$)/.exec(request.url) ?? [];
  const isTag = reference === 'latest';
  const bytes = isTag ? options.manifest?.bytes : held(options).find((each) => digestOf(each) === reference);
  if (!bytes) {
    sendJson(response, 404, {
      errors: [{ code: kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN', message: 'unknown' }],
    });
    return;
  }
  const type = kind === 'manifests' ? options.manifest?.mediaType : undefined;
  response.setHeader('content-type', type ?? 'application/octet-stream');
  response.setHeader('docker-content-digest', digestOf(bytes));
  sendRange(request, response, bytes);
}

function held(options: FaultyServerOptions): readonly Uint8Array[] {
  return [...(options.contents ?? []), ...(options.manifest ? [options.manifest.bytes] : [])];
}

export function sendRange(request: SeenRequest, response: ServerResponse, bytes: Uint8Array): void {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const from = Number(first ?? 0);
  const to = last ? Math.min(Number(last) + 1, bytes.length) : bytes.length;
  if (from >= bytes.length && first !== undefined) {
    response.writeHead(416).end();
    return;
  }
  response.setHeader('content-length', to - from);
  if (first !== undefined) response.setHeader('content-range', `bytes ${from}-${to - 1}/${bytes.length}`);
  response.writeHead(first === undefined ? 200 : 206);
  response.end(request.method === 'HEAD' ? undefined : bytes.subarray(from, to));
}

export function sendJson(response: ServerResponse, status: number, value: unknown): true {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
  return true;
}

/** Reads the request and never answers. */
export const hang: Fault = () => true;

/** Announces `bytes`, sends the first `count` bytes of the requested range, and closes the connection. */
export function closeAfter(count: number, bytes: Uint8Array): Fault {
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.setHeader('content-length', bytes.length - from);
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
    response.writeHead(from > 0 ? 206 : 200);
    response.write(bytes.subarray(from, from + count), () => response.destroy());
    return true;
  };
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Fault {
  return (_request, response) => {
    response.writeHead(code, headers);
    response.end(body);
    return true;
  };
}

/** Applies the fault to the first `count` requests. */
export function firstTimes(count: number, fault: Fault): Fault {
  return (request, response) => (request.nth < count ? fault(request, response) : false);
}
