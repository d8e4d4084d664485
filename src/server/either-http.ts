// HTTP/1.1 and HTTP/2 behind one face: node:http's messages, and those that node:http2 makes like them. What differs between the two is here, and nowhere else.
// An HTTP/1.1 connection has one request at a time, so what ends a request ends the connection; an HTTP/2 connection has many, each on a stream of its own.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

/** RFC 9113, section 7. */
const NO_ERROR = 0;
const INTERNAL_ERROR = 2;
const REFUSED_STREAM = 7;
const CANCEL = 8;

/** Milliseconds for which a client may continue to send a body that was refused. Many clients read the answer only after that. */
const LINGER = 10_000;

/** The connections below TLS sockets and HTTP/2 sessions. */
const connections = new WeakMap<object, Socket>();

/** Streams that end when nothing moves. */
const limited = new WeakSet<ServerHttp2Stream>();

/** A TLS socket or an HTTP/2 session uses a connection. */
export function carry(over: object, connection: Socket): void {
  connections.set(over, connection);
}

/** The connection of a request that has just begun; `undefined` if it has ended already. */
export function connectionOf(message: IncomingMessage): Socket | undefined {
  const stream = streamOf(message);
  if (!stream) return connections.get(message.socket) ?? message.socket;
  return stream.session && connections.get(stream.session);
}

/** Whether others run on the same connection at the same time. */
export function isMultiplexed(message: IncomingMessage): boolean {
  return streamOf(message) !== undefined;
}

/** The same for both: HTTP/2 has the host beside the headers (RFC 9113, section 8.3.1). */
export function headersOf(message: IncomingMessage): IncomingHttpHeaders {
  if (!streamOf(message)) return message.headers;
  const { ':authority': authority, ...others } = message.headers;
  const headers = Object.fromEntries(Object.entries(others).filter(([name]) => !name.startsWith(':')));
  return typeof authority === 'string' ? { ...headers, host: authority } : headers;
}

export function isEncrypted(message: IncomingMessage): boolean {
  return streamOf(message) !== undefined || 'encrypted' in message.socket;
}

/** In bytes: 0 if there is none, `undefined` if the client does not say. */
export function bodyLength(message: IncomingMessage): number | undefined {
  const { 'transfer-encoding': coding, 'content-length': length } = message.headers;
  if (coding !== undefined) return undefined;
  if (length !== undefined) return Number(length);
  const stream = streamOf(message);
  return stream && !stream.endAfterHeaders ? undefined : 0;
}

/** Called when nothing more comes of a body. The compatible message of HTTP/2 ends in the same way if its stream was reset. Throws if it was. */
export function checkEnd(message: IncomingMessage): void {
  const stream = streamOf(message);
  // After the last byte of a whole body the stream stays open for the answer.
  if (stream && (stream.aborted || stream.closed || stream.destroyed)) throw new Error('the stream was reset');
}

/** Tells the client that nothing more is answered on this connection (`Connection: close`). With HTTP/2 the session says so. */
export function endConnectionAfter(response: ServerResponse): void {
  if (!streamOf(response)) response.shouldKeepAlive = false;
}

/** Ends a request, and so a pending read of its body. */
export function breakOff(message: IncomingMessage): void {
  const stream = streamOf(message);
  if (stream) stream.close(CANCEL);
  else message.destroy();
}

/** Ends an answer so that the client sees that it is not whole. */
export function breakAnswer(response: ServerResponse): void {
  const stream = streamOf(response);
  if (stream) stream.close(INTERNAL_ERROR);
  else response.destroy();
}

/** Nothing was done for the request: the client can send it again as it is (RFC 9113, section 8.7). */
export function refuseStream(message: IncomingMessage): void {
  streamOf(message)?.close(REFUSED_STREAM);
}

/** Ends the request if no byte moves for so many milliseconds; 0: never. */
export function limitSilence(of: IncomingMessage | ServerResponse, milliseconds: number): void {
  const stream = streamOf(of);
  if (!stream) of.socket?.setTimeout(milliseconds);
  else if (!stream.destroyed) {
    if (!limited.has(stream)) {
      stream.on('timeout', () => stream.close(CANCEL));
      stream.once('close', () => clearTimeout(silenceTimer(stream)));
    }
    limited.add(stream);
    stream.setTimeout(milliseconds);
  }
}

/**
 * Node keeps the timer of a stream that fails with its connection (`setTimeout(0)` does nothing for a stream that is destroyed), and so everything that was to be
 * written to it, for as long as the stream might have been silent. Where it has no such timer, there is nothing to clear.
 */
function silenceTimer(stream: ServerHttp2Stream): NodeJS.Timeout | undefined {
  const key = Object.getOwnPropertySymbols(stream).find(({ description }) => description === 'timeout');
  return key && Reflect.get(stream, key);
}

export function isClosed(response: ServerResponse): boolean {
  return streamOf(response)?.destroyed ?? response.closed;
}

/** HTTP/2 has no words after the status (RFC 9113, section 8.3.2). */
export function setReason(response: ServerResponse, reason: string): void {
  if (!streamOf(response)) response.statusMessage = reason;
}

/** Bytes that were given to the system's part of the connection and have not left it: a large piece is under way for long. */
export function unsentBytes(response: ServerResponse): number {
  if (streamOf(response)) return response.writableLength;
  const socket = response.socket as { readonly _handle?: { readonly writeQueueSize?: number } } | null;
  return socket?._handle?.writeQueueSize ?? 0;
}

/**
 * Ends a body that was refused without being read to its end. Closing an HTTP/1.1 connection at once would reset it, and the client would lose the answer; reading
 * without a limit would let it send for ever. On HTTP/2 the client is told to stop (RFC 9113, section 8.1). `isHeldBack`: the client waits for `100 Continue`.
 */
export function endBodyGracefully(message: IncomingMessage, response: ServerResponse, isHeldBack: boolean): void {
  const stream = streamOf(message);
  if (stream) {
    if (!stream.endAfterHeaders && !message.readableEnded) stream.once('finish', () => stream.close(NO_ERROR));
    return;
  }
  if (message.complete) return;
  if (isHeldBack) {
    response.shouldKeepAlive = false;
    return;
  }
  message.resume();
  const timer = setTimeout(() => message.destroy(), LINGER);
  timer.unref();
  message.once('close', () => clearTimeout(timer));
}

function streamOf(message: IncomingMessage | ServerResponse): ServerHttp2Stream | undefined {
  return (message as { readonly stream?: ServerHttp2Stream }).stream;
}
