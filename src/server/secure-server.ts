// HTTPS: TLS with HTTP/2 and HTTP/1.1, as client and server agree (ALPN). The HTTP/1.1 side is node:https's; HTTP/2 is given the TLS sockets that asked for it.
import type { RequestListener, ServerOptions } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { Server as NetServer, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsContexts } from '../certificates/contract.ts';
import { secureOptions } from '../certificates/secure-options.ts';
import type { Connections } from './connections.ts';
import { carry } from './either-http.ts';
import type { ServerLimits } from './limits.ts';

/** A server for one address. */
export interface AddressServer {
  readonly server: NetServer;
  /** No new connections; idle ones end now, busy ones after their requests, and after `grace` milliseconds in any case. */
  stop(grace: number): Promise<void>;
}

export interface SecureServerOptions {
  readonly contexts: TlsContexts;
  readonly connections: Connections;
  readonly limits: ServerLimits;
  /** For HTTP/1.1. */
  readonly http: ServerOptions;
}

/** Bytes that a client may send ahead on a stream. More than the 64 KiB of the standard, which would wait for each round trip of a fast network. */
const WINDOW = 256 * 1024;
/** What Go says to a client that speaks plain HTTP. */
const PLAIN = 'HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

export function secureServer(listener: RequestListener, options: SecureServerOptions): AddressServer {
  const { contexts, connections, limits, http } = options;
  /** By the addresses of both ends: TLS sockets do not name the connection below them. */
  const sockets = new Map<string, Socket>();
  /** Their handshake is not over. */
  const handshaking = new Set<Socket>();
  const sessions = http2Sessions(listener, options);
  const server = createHttpsServer({
    ...http,
    ...secureOptions(contexts.current()),
    ALPNProtocols: ['h2', 'http/1.1'],
    SNICallback: (name, done) => {
      contexts.contextFor(name).then((context) => done(null, context), done);
    },
    handshakeTimeout: limits.head,
  });
  contexts.onChange((next) => server.setSecureContext(secureOptions(next)));
  server.on('connection', (socket: Socket) => {
    const ends = endsOf(socket);
    sockets.set(ends, socket);
    handshaking.add(socket);
    socket.once('close', () => {
      handshaking.delete(socket);
      if (sockets.get(ends) === socket) sockets.delete(ends);
    });
    connections.admit(socket);
  });
  const [http1] = server.listeners('secureConnection');
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (secure: TLSSocket) => {
    const socket = sockets.get(endsOf(secure));
    if (!socket) {
      secure.destroy();
      return;
    }
    handshaking.delete(socket);
    carry(secure, socket);
    if (secure.alpnProtocol === 'h2') sessions.begin(secure, socket);
    else http1?.call(server, secure);
  });
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (error: NodeJS.ErrnoException, secure) => {
    const socket = sockets.get(endsOf(secure));
    if (error.code === 'ERR_SSL_HTTP_REQUEST' && socket?.writable) socket.end(PLAIN, () => secure.destroy());
    else secure.destroy();
  });
  server.on('request', listener);
  server.on('checkContinue', listener);
  return {
    server,
    stop: async (grace) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      for (const socket of handshaking) socket.destroy();
      sessions.stop();
      const timer = setTimeout(() => {
        for (const socket of sockets.values()) socket.destroy();
      }, grace);
      server.close(() => resolve());
      await promise;
      clearTimeout(timer);
    },
  };
}

/**
 * In megabytes. Node counts what waits to be sent, and beyond its default of 10 refuses each new stream: a few nodes behind one proxy, or one that reads slowly, would
 * be told to calm down. Two of the largest buffers for a stream; all streams together are limited by those (send-buffers.ts).
 */
const [SESSION_MEMORY, STREAM_MEMORY] = [10, 4];

interface Http2Sessions {
  begin(secure: TLSSocket, socket: Socket): void;
  /** Says that nothing new is accepted (GOAWAY); a session ends with its last stream. */
  stop(): void;
}

function http2Sessions(listener: RequestListener, { limits, http }: SecureServerOptions): Http2Sessions {
  const sessions = new Set<ServerHttp2Session>();
  const server = createHttp2Server({
    settings: {
      maxConcurrentStreams: limits.streams,
      initialWindowSize: WINDOW,
      maxHeaderListSize: http.maxHeaderSize ?? 16_384,
      enablePush: false,
    },
    maxSessionMemory: SESSION_MEMORY + STREAM_MEMORY * limits.streams,
    // Clients that ask and give up at once (CVE-2023-44487) cost more than they pay for. Beyond this rate their connection ends.
    streamResetBurst: 200,
    streamResetRate: 20,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    maxSettings: 32,
  });
  server.on('request', listener as unknown as Parameters<typeof server.on>[1]);
  server.on('checkContinue', listener as unknown as Parameters<typeof server.on>[1]);
  let beginning: Socket | undefined;
  server.on('session', (session: ServerHttp2Session) => {
    if (beginning) carry(session, beginning);
    // For all streams together; the standard's 64 KiB are less than one may send. curl 7.88 waits some 40 ms whenever a window is used up.
    session.setLocalWindowSize(4 * WINDOW);
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    endWhenIdle(session, { first: limits.head, later: http.keepAliveTimeout ?? limits.head });
  });
  return {
    begin: (secure, socket) => {
      beginning = socket;
      server.emit('connection', secure);
      beginning = undefined;
    },
    stop: () => {
      for (const session of sessions) session.close();
    },
  };
}

/** Ends a session that has had no request for so many milliseconds, whatever else its client sends; sooner if none has come yet. */
function endWhenIdle(session: ServerHttp2Session, after: { readonly first: number; readonly later: number }): void {
  let open = 0;
  const end = () => session.close();
  let timer = setTimeout(end, after.first).unref();
  session.on('stream', (stream) => {
    open++;
    clearTimeout(timer);
    stream.once('close', () => {
      open--;
      if (open === 0 && !session.destroyed) timer = setTimeout(end, after.later).unref();
    });
  });
  session.once('close', () => clearTimeout(timer));
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ');
}
