// One HTTP exchange over a pooled connection, with time limits. It follows no redirects, does not retry, and does not interpret the status.
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type FailedRequest, ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Bytes } from '../streams/bytes.ts';
import { type AgentSettings, type Agents, type Carrier, createAgents } from './http-agents.ts';
import { readBody, sendStream } from './http-body.ts';
import { type OnHttpEvent, telling } from './http-event.ts';
import { BROKEN_OFF_HINT, httpFailure, proxyFailure, systemCode } from './http-failure.ts';
import { describeHttpUrl, type HttpUrl } from './http-url.ts';
import { nodeHttp, nodeHttps } from './node-http.ts';
import { createWatchdog, silence } from './watchdog.ts';

/** All in milliseconds, but for `slowest`. */
export interface HttpTimeouts {
  /** For opening a connection, including TLS. */
  readonly connect: number;
  /** From the connection, or from the end of the request's body, to the headers of the answer. */
  readonly headers: number;
  /** Of silence within a body, in either direction. */
  readonly idle: number;
  /** Bytes a second that a body must deliver at least, measured over each period of `idle` milliseconds spent waiting. No limit by default. */
  readonly slowest?: number;
  /** For a whole body of which only the words are wanted, such as an error's. 5 s by default. */
  readonly text?: number;
}

export const DEFAULT_TIMEOUTS: HttpTimeouts = { connect: 15_000, headers: 30_000, idle: 60_000, slowest: 1024 };

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: HttpUrl;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream without a content-length header is sent in chunked encoding. */
  readonly body?: Uint8Array | Bytes;
  readonly signal?: AbortSignal | undefined;
  /** Accepts any certificate. */
  readonly anyCertificate?: boolean;
  /** Replaces the pool's `headers` limit. */
  readonly answerWithin?: number;
  /** Keeps sending the body when an answer begins before its end, unless the answer is a refusal. */
  readonly duplex?: boolean;
}

export interface HttpAnswer {
  readonly method: HttpRequest['method'];
  readonly url: HttpUrl;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The limit of the same name (`HttpTimeouts.text`), for who reads the body for its words. */
  readonly textWithin: number;
  /** Holds a connection until it is read to the end, closed with `return`, or discarded. Errors: TIMEOUT, BROKEN_OFF. */
  readonly body: Bytes;
  /** Gives the connection back: a short body is read to its end, unseen. `onOver` is called with the bytes that were read of it. */
  discard(onOver?: (bytes: number) => void): void;
  /** Ends the exchange and its connection. Readers of the body get this error. */
  abort(reason: ImagesError): void;
}

export interface HttpPool extends Disposable {
  /** Errors: UNREACHABLE, TIMEOUT, BROKEN_OFF, BAD_ANSWER (not HTTP); the signal's reason; errors of the request's body. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Closes connections that are idle, and the others as soon as they are: for a pool that gets no new work. */
  retire(): void;
}

export interface HttpPoolSettings extends AgentSettings {
  readonly timeouts: HttpTimeouts;
  /** Told of each exchange. */
  readonly onEvent?: OnHttpEvent;
}

/** In bytes. Reading a rest of up to this size is cheaper than a new connection. */
const WORTH_READING = 64 * 1024;

/** In milliseconds. */
const TEXT_WITHIN = 5000;

/** Limit of interim answers (RFC 9110, section 15.2) to one request, so that they do not come without an end. */
const MAX_INTERIM = 100;

const UNKNOWN_ISSUER =
  /^(?:UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN)$/;

/**
 * Errors of reused connections: the host closed the connection just when the request was sent (RFC 9112, section 9.3.1). Such an error says nothing about
 * the host. The next pooled connection may be as old, so the request is sent again until it gets a new connection.
 */
const staleConnections = new WeakSet<object>();

export function createHttpPool(settings: HttpPoolSettings): HttpPool {
  const agents = createAgents(settings);
  const sendOne = (request: HttpRequest) => send(agents, request, settings.timeouts);
  return {
    send: settings.onEvent ? telling(sendOne, settings.onEvent) : sendOne,
    retire: () => agents.retire(),
    [Symbol.dispose]: () => agents[Symbol.dispose](),
  };
}

async function send(agents: Agents, request: HttpRequest, timeouts: HttpTimeouts): Promise<HttpAnswer> {
  request.signal?.throwIfAborted();
  const carrier = await carrierFor(agents, request);
  try {
    return await exchange(carrier, request, timeouts);
  } catch (error) {
    if (staleConnections.has(error as object)) return await send(agents, request, timeouts);
    if (carrier.trustsSystem !== false || !UNKNOWN_ISSUER.test(systemCode(error) ?? '')) throw error;
    // The certificate was refused before anything of the request was sent, so its body is still unread.
    agents.widenTrust(request.url.host);
    return await send(agents, request, timeouts);
  }
}

async function carrierFor(agents: Agents, request: HttpRequest): Promise<Carrier> {
  try {
    return await agents.carrier(request.url, request.anyCertificate ?? false);
  } catch (error) {
    throw isImagesError(error) ? error.during(failedRequest(request)) : error;
  }
}

/** One exchange over a connection of the carrier's agent. Errors: as `HttpPool.send`. */
export async function exchange(carrier: Carrier, request: HttpRequest, timeouts: HttpTimeouts): Promise<HttpAnswer> {
  const { host } = request.url;
  const { request: start } = carrier.secure ? nodeHttps() : nodeHttp();
  const message = start({
    agent: carrier.agent,
    hostname: carrier.hostname,
    port: carrier.port,
    path: carrier.path,
    method: request.method,
    headers: { ...carrier.headers, ...request.headers },
    ...carrier.tls,
    ...(carrier.lookup && { lookup: carrier.lookup }),
    ...(request.signal && { signal: request.signal }),
  });
  const { body } = request;
  const within = request.answerWithin ?? timeouts.headers;
  const watch = createWatchdog((milliseconds) => message.destroy(silence(host, milliseconds)));
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  let bodyFailure: unknown;
  message.on('response', resolve);
  message.on('error', reject);
  let interim = 0;
  message.on('information', () => {
    interim += 1;
    if (interim > MAX_INTERIM)
      message.destroy(new ImagesError('BAD_ANSWER', `${host} sends interim answers without end`));
  });
  message.on('close', () =>
    reject(new ImagesError('BROKEN_OFF', `${host} closed the connection`, { hint: BROKEN_OFF_HINT })),
  );
  // Time limits start when a socket is assigned, because the request may wait for its turn before. A streamed body starts when the connection is open.
  message.on('socket', (socket) => {
    const connected = () => {
      watch.expect(within);
      if (body === undefined || body instanceof Uint8Array) return;
      watch.done();
      const { idle, slowest } = timeouts;
      const pace = { host, watch, within, idle, slowest, duplex: request.duplex ?? false };
      sendStream(message, body, pace).catch((error) => {
        bodyFailure = error;
        reject(error);
        message.destroy();
      });
    };
    if (!socket.connecting) return connected();
    watch.expect(Math.min(within, timeouts.connect));
    socket.once(carrier.secure ? 'secureConnect' : 'connect', connected);
  });
  if (body === undefined || body instanceof Uint8Array) message.end(body);
  try {
    const answer = await promise;
    watch.done();
    const at = carrier.isDirect ? addressOf(answer.socket) : undefined;
    return wrap(answer, message, at === undefined ? request : { ...request, url: { ...request.url, at } }, timeouts);
  } catch (error) {
    watch.done();
    message.destroy();
    request.signal?.throwIfAborted();
    const failure = failureOf(error, host, carrier);
    // An error of the body's source has nothing to do with this request.
    if (isImagesError(failure) && error !== bodyFailure) failure.during(failedRequest(request));
    const whole = request.body === undefined || request.body instanceof Uint8Array;
    if (message.reusedSocket && whole && isImagesError(failure, 'BROKEN_OFF')) staleConnections.add(failure);
    throw failure;
  }
}

/** The request, as errors record it. */
export function failedRequest({ method, url }: Pick<HttpRequest, 'method' | 'url'>): FailedRequest {
  return { method, url: describeHttpUrl(url) };
}

/** Translates a connection error. If the connection was to lead to a proxy, the proxy is blamed. */
function failureOf(error: unknown, host: string, { proxy }: Carrier): unknown {
  const failure = httpFailure(host, error);
  return proxy !== undefined && isImagesError(failure, 'UNREACHABLE') ? proxyFailure(proxy, error) : failure;
}

/** The address of the host. A connection to an address of this machine has the same address at both ends. */
function addressOf({ localAddress, remoteAddress }: Socket): string | undefined {
  return localAddress === remoteAddress && remoteAddress !== undefined ? '127.0.0.1' : remoteAddress;
}

function wrap(
  answer: IncomingMessage,
  message: ClientRequest,
  request: HttpRequest,
  { idle, slowest, text = TEXT_WITHIN }: HttpTimeouts,
): HttpAnswer {
  // The answer came before the end of the request. The rest will not be sent, so the connection cannot be reused.
  answer.once('end', () => {
    if (!message.writableEnded) message.destroy();
  });
  if (request.method === 'HEAD') answer.resume();
  return {
    method: request.method,
    url: request.url,
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    textWithin: text,
    body: readBody(answer, {
      host: request.url.host,
      request: () => failedRequest(request),
      signal: request.signal,
      idle,
      slowest,
    }),
    discard(onOver) {
      answer.on('error', () => {});
      let size = 0;
      if (onOver && answer.closed) onOver(size);
      else if (onOver) answer.once('close', () => onOver(size));
      if (request.method !== 'HEAD' && Number(answer.headers['content-length'] ?? 0) > WORTH_READING) answer.destroy();
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > WORTH_READING) answer.destroy();
      });
    },
    abort: (reason) => answer.destroy(reason),
  };
}
