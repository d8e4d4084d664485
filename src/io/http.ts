// One HTTP exchange: a request out, an answer in, with time limits; over connections that are kept alive. No redirects, no retries, no meaning.
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { type AgentSettings, type Agents, type Carrier, createAgents } from './http-agents.ts';
import { httpFailure, systemCode } from './http-failure.ts';
import type { HttpUrl } from './http-url.ts';
import { nodeHttp, nodeHttps } from './node-http.ts';

type Bytes = AsyncIterable<Uint8Array>;

/** In milliseconds. */
export interface HttpTimeouts {
  /** From the request's start (on a new connection: from its dialling) to the answer's headers. */
  readonly headers: number;
  /** Of silence in the middle of a body, in either direction. */
  readonly idle: number;
}

export const DEFAULT_TIMEOUTS: HttpTimeouts = { headers: 30_000, idle: 60_000 };

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: HttpUrl;
  readonly headers?: Readonly<Record<string, string>>;
  /** Without a content-length header, a stream is sent chunked. */
  readonly body?: Uint8Array | Bytes;
  readonly signal?: AbortSignal | undefined;
  /** Takes any certificate. */
  readonly anyCertificate?: boolean;
  /** Instead of the pool's `headers` limit. */
  readonly answerWithin?: number;
}

export interface HttpAnswer {
  readonly url: HttpUrl;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read to its end, left by `return`, or discarded: until then it holds a connection. Errors: TIMEOUT, BROKEN_OFF. */
  readonly body: Bytes;
  /** Gives the connection back without reading on. */
  discard(): void;
}

export interface HttpPool extends Disposable {
  /** Errors: UNREACHABLE, TIMEOUT, BROKEN_OFF, BAD_ANSWER (no HTTP); the signal's reason; what the request's body throws. */
  send(request: HttpRequest): Promise<HttpAnswer>;
}

export interface HttpPoolSettings extends AgentSettings {
  readonly timeouts: HttpTimeouts;
}

/** What is cheaper to read to its end than to open a new connection for. */
const WORTH_READING = 64 * 1024;

const UNKNOWN_ISSUER =
  /^(?:UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN)$/;

/**
 * Failures of connections that had carried an answer before: the host closed them just when the request left (RFC 9112, section 9.3.1).
 * They say nothing about the host, and the next connection of the pool may be as old, so the request is sent again until one is new.
 */
const staleConnections = new WeakSet<object>();

export function createHttpPool(settings: HttpPoolSettings): HttpPool {
  const agents = createAgents(settings);
  return {
    send: (request) => send(agents, request, settings.timeouts),
    [Symbol.dispose]: () => agents[Symbol.dispose](),
  };
}

async function send(agents: Agents, request: HttpRequest, timeouts: HttpTimeouts): Promise<HttpAnswer> {
  request.signal?.throwIfAborted();
  const carrier = await agents.carrier(request.url, request.anyCertificate ?? false);
  try {
    return await exchange(carrier, request, timeouts);
  } catch (error) {
    if (staleConnections.has(error as object)) return await send(agents, request, timeouts);
    // Nothing of the request was sent before the certificate was refused, so its body is still whole.
    if (UNKNOWN_ISSUER.test(systemCode(error) ?? '') && agents.widenTrust(request.url.host)) {
      return await send(agents, request, timeouts);
    }
    throw error;
  }
}

async function exchange(carrier: Carrier, request: HttpRequest, timeouts: HttpTimeouts): Promise<HttpAnswer> {
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
    ...(request.signal && { signal: request.signal }),
  });
  const within = request.answerWithin ?? timeouts.headers;
  const watch = watchdog((milliseconds) => message.destroy(silence(host, milliseconds)));
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // Only from here on time counts: before, the request may wait for its turn.
  message.on('socket', () => watch.expect(within));
  message.on('response', resolve);
  message.on('error', reject);
  message.on('close', () => reject(new ImagesError('BROKEN_OFF', `${host} closed the connection`)));
  const sent = writeBody(message, request.body, { watch, within, idle: timeouts.idle });
  sent.catch((error) => {
    reject(error);
    message.destroy();
  });
  try {
    const answer = await promise;
    watch.done();
    return wrap(answer, message, request, timeouts.idle);
  } catch (error) {
    watch.done();
    message.destroy();
    request.signal?.throwIfAborted();
    const failure = httpFailure(host, error);
    const whole = request.body === undefined || request.body instanceof Uint8Array;
    if (message.reusedSocket && whole && isImagesError(failure, 'BROKEN_OFF')) staleConnections.add(failure);
    throw failure;
  }
}

interface Pace {
  readonly watch: Watchdog;
  readonly within: number;
  readonly idle: number;
}

/** Sends the body as fast as the other side takes it; stops when an answer comes before its end. */
async function writeBody(message: ClientRequest, body: HttpRequest['body'], pace: Pace): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    message.end(body);
    return;
  }
  let stop = false;
  let wake = () => {};
  const halt = () => {
    stop = true;
    wake();
  };
  message.once('response', halt);
  message.once('close', halt);
  message.on('drain', () => wake());
  for await (const chunk of body) {
    if (stop) break;
    if (message.write(chunk)) continue;
    const drained = new Promise<void>((resolve) => {
      wake = resolve;
    });
    pace.watch.expect(pace.idle);
    if (!stop) await drained;
    pace.watch.done();
    if (stop) break;
  }
  if (stop) return;
  pace.watch.expect(pace.within);
  message.end();
}

function wrap(answer: IncomingMessage, message: ClientRequest, request: HttpRequest, idle: number): HttpAnswer {
  // An answer before the request's end: the rest will never be sent, so the connection cannot be used again.
  answer.once('end', () => {
    if (!message.writableEnded) message.destroy();
  });
  if (request.method === 'HEAD') answer.resume();
  return {
    url: request.url,
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    body: readBody(answer, request, idle),
    discard() {
      answer.on('error', () => {});
      const length = Number(answer.headers['content-length'] ?? Number.NaN);
      if (request.method === 'HEAD' || length <= WORTH_READING) answer.resume();
      else answer.destroy();
    },
  };
}

/** A body that nobody begins to read must not hold its connection for ever; one who comes later finds it broken off. */
function readBody(answer: IncomingMessage, request: HttpRequest, idle: number): AsyncGenerator<Uint8Array> {
  const unclaimed = setTimeout(() => answer.destroy(), idle);
  unclaimed.unref();
  answer.once('close', () => clearTimeout(unclaimed));
  return readClaimed(answer, request, { idle, claim: () => clearTimeout(unclaimed) });
}

interface Claim {
  readonly idle: number;
  readonly claim: () => void;
}

async function* readClaimed(
  answer: IncomingMessage,
  request: HttpRequest,
  { idle, claim }: Claim,
): AsyncGenerator<Uint8Array> {
  claim();
  const { host } = request.url;
  const watch = watchdog((milliseconds) => answer.destroy(silence(host, milliseconds)));
  try {
    // Time counts only while bytes are waited for: a slow reader is not a slow host.
    watch.expect(idle);
    for await (const chunk of answer) {
      watch.done();
      yield chunk;
      watch.expect(idle);
    }
  } catch (error) {
    request.signal?.throwIfAborted();
    throw httpFailure(host, error);
  } finally {
    watch.done();
  }
}

interface Watchdog {
  expect(milliseconds: number): void;
  done(): void;
}

/** One timer for many short waits: chunks come by the thousand, and `refresh` allocates nothing. */
function watchdog(bark: (milliseconds: number) => void): Watchdog {
  let timer: NodeJS.Timeout | undefined;
  let limit = 0;
  let waiting = false;
  const fire = () => {
    if (waiting) bark(limit);
    timer = undefined;
  };
  return {
    expect(milliseconds) {
      waiting = true;
      if (timer && limit === milliseconds) {
        timer.refresh();
        return;
      }
      clearTimeout(timer);
      limit = milliseconds;
      timer = setTimeout(fire, milliseconds);
      timer.unref();
    },
    done() {
      waiting = false;
    },
  };
}

function silence(host: string, milliseconds: number): ImagesError {
  return new ImagesError('TIMEOUT', `${host} has sent nothing for ${milliseconds / 1000} s`, {
    hint: 'Try again later, or check the network and http_proxy.',
  });
}
