// Requests to the Engine API at one endpoint: negotiates the version first, applies time limits, and turns refusals into errors with the daemon's own message.
import type { HttpAnswer, HttpRequest } from '../../io/http/http.ts';
import { exchange } from '../../io/http/http.ts';
import type { Carrier } from '../../io/http/http-agents.ts';
import { telling } from '../../io/http/http-event.ts';
import { systemCode } from '../../io/http/http-failure.ts';
import { hostAndPort, pathWithQuery, type Query } from '../../io/http/http-url.ts';
import { readUpTo, readWhole } from '../../io/http/http-whole.ts';
import { nodeHttp, nodeHttps, nodeTls } from '../../io/http/node-http.ts';
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import { isObject, type Json } from '../../oci/decode.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { DaemonEndpoint, DaemonSettings } from './endpoint.ts';

export interface EngineRequest extends CallOptions {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  /** The path without the version; begins with `/`. */
  readonly path: string;
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Bytes;
  /** Statuses that are not errors. */
  readonly accept?: readonly number[];
}

export interface DaemonConnection extends Disposable {
  /** The address in the form of $DOCKER_HOST. */
  readonly address: string;
  /** Asks whether the daemon is alive, and for its version. Sent once. Errors: NOT_RUNNING, NO_ACCESS, UNREACHABLE, TIMEOUT, BAD_ANSWER. */
  ping(options?: CallOptions): Promise<DaemonVersion>;
  /** Errors: those of `ping`, BROKEN_OFF, SERVER_ERROR and others by the answer's status, with the daemon's message. */
  send(request: EngineRequest): Promise<HttpAnswer>;
  /** The answer as JSON. Returns `undefined` if its status is in `accept`. */
  json(request: EngineRequest): Promise<unknown>;
}

export interface DaemonVersion {
  /** The API version that both sides support: `1.41`. */
  readonly api: string;
  /** `Docker/20.10.24 (linux)`, `Libpod/4.3.1 (linux)`. */
  readonly server: string;
}

/** The newest API version whose answers this program knows. The oldest supported daemon, 20.10, has 1.41. */
const NEWEST_API = '1.51';
/** In milliseconds. */
const PING_WITHIN = 5000;
/** `save` writes a whole image to the daemon's disk before its first byte; `load` unpacks one after its last byte. */
const TIMEOUTS = { connect: 5000, headers: 900_000, idle: 900_000 };
const MAX_MESSAGE = 64 * 1024;
const MAX_JSON = 64 * 1024 * 1024;
/** How long the body of a JSON answer may take. A busy daemon needs minutes before the first byte (disk usage), but not after it. */
const JSON_WITHIN = 60_000;

/** Sends nothing before the first request. */
export function connectDaemon(
  endpoint: DaemonEndpoint,
  { onHttp, pingWithin = PING_WITHIN }: Pick<DaemonSettings, 'onHttp' | 'pingWithin'> = {},
): DaemonConnection {
  const { address } = endpoint;
  const carrier = carrierTo(endpoint);
  const base = 'url' in endpoint && endpoint.url.path !== '/' ? endpoint.url.path : '';
  let version: Promise<DaemonVersion> | undefined;

  const send = (request: HttpRequest) => exchange({ ...carrier, path: request.url.path }, request, TIMEOUTS);
  const sendOne = onHttp ? telling(send, onHttp) : send;
  const exchangeWith = async (path: string, request: Omit<HttpRequest, 'url'>): Promise<HttpAnswer> => {
    const url = { secure: carrier.secure, host: 'docker', path: `${base}${path}` };
    try {
      return await sendOne({ ...request, url });
    } catch (error) {
      request.signal?.throwIfAborted();
      throw daemonFailure(address, error);
    }
  };

  const ping = async (options?: CallOptions): Promise<DaemonVersion> => {
    const request = { method: 'GET', answerWithin: pingWithin, signal: options?.signal } as const;
    const answer = await exchangeWith('/_ping', request);
    answer.discard();
    const api = answer.headers['api-version'];
    if (answer.status !== 200 || typeof api !== 'string' || !/^\d+\.\d+$/.test(api)) {
      throw new ImagesError('BAD_ANSWER', `what answers at ${address} is no Docker daemon [status ${answer.status}]`, {
        hint: 'Check DOCKER_HOST and `docker context ls`.',
      });
    }
    return { api: olderVersion(api, NEWEST_API), server: String(answer.headers.server ?? '') };
  };

  const connection: DaemonConnection = {
    address,
    ping(options) {
      version ??= ping(options);
      version.catch(() => {
        version = undefined;
      });
      return version;
    },
    async send({ method, path, query, headers, body, accept, signal }) {
      const { api } = await connection.ping(signal && { signal });
      const target = pathWithQuery(`/v${api}${path}`, query ?? {});
      const answer = await exchangeWith(target, {
        method,
        signal,
        ...(headers && { headers }),
        ...(body && { body, duplex: true }),
      });
      if (answer.status < 400 || accept?.includes(answer.status)) return answer;
      throw refusal(await messageOf(answer), answer.status, { method, path });
    },
    async json(request) {
      const answer = await connection.send(request);
      if (request.accept?.includes(answer.status)) {
        answer.discard();
        return undefined;
      }
      const bytes = await readWhole(answer, { bytes: MAX_JSON, within: JSON_WITHIN });
      try {
        return JSON.parse(Buffer.from(bytes).toString());
      } catch (cause) {
        throw new ImagesError('BAD_ANSWER', `the Docker daemon answered no JSON [${request.path}]`, { cause });
      }
    },
    [Symbol.dispose]: () => carrier.agent.destroy(),
  };
  return connection;
}

function carrierTo(endpoint: DaemonEndpoint): Omit<Carrier, 'path'> {
  const headers = { host: 'docker' };
  if ('socketPath' in endpoint) {
    const agent = new (nodeHttp().Agent)({ keepAlive: true, socketPath: endpoint.socketPath } as object);
    return { secure: false, agent, hostname: 'docker', port: 0, headers, tls: {} };
  }
  const { url, tls } = endpoint;
  const host = { ...hostAndPort(url.host, url.secure), headers: { host: url.host } };
  if (!tls) return { ...host, secure: false, agent: new (nodeHttp().Agent)({ keepAlive: true }), tls: {} };
  const { ca, cert, key, verify } = tls;
  const secureContext = nodeTls().createSecureContext({
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  });
  const agent = new (nodeHttps().Agent)({ keepAlive: true });
  return { ...host, secure: true, agent, tls: { secureContext, rejectUnauthorized: verify } };
}

function olderVersion(a: string, b: string): string {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA < majorB || (majorA === majorB && minorA < minorB) ? a : b;
}

/** Translates a failed connection to a daemon into an error for users. */
function daemonFailure(address: string, error: unknown): unknown {
  const code = systemCode(error) ?? systemCode((error as { cause?: unknown }).cause) ?? '';
  if (code === 'EACCES' || code === 'EPERM') {
    const hint =
      'Become a member of the group docker (`sudo usermod -aG docker $USER`, then log in again), or run as root.';
    return new ImagesError('NO_ACCESS', `this user may not speak to the Docker daemon [${address}]`, {
      hint,
      cause: error,
    });
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK' || code === 'ENOTDIR') {
    const hint = 'Start it (`systemctl start docker`), or check DOCKER_HOST and `docker context ls`.';
    return new ImagesError('NOT_RUNNING', `no Docker daemon listens at ${address}`, { hint, cause: error });
  }
  if (isImagesError(error, 'TIMEOUT')) {
    const hint = 'It hangs: look into its log (`journalctl -u docker`), or restart it.';
    return new ImagesError('TIMEOUT', `the Docker daemon at ${address} does not answer`, { hint, cause: error });
  }
  if (isImagesError(error, 'UNREACHABLE')) {
    const hint = 'Check DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or `docker context ls`.';
    const why = error.message.replace(/^cannot reach [^:]*: /, '');
    return new ImagesError('UNREACHABLE', `cannot reach the Docker daemon at ${address}: ${why}`, {
      hint,
      cause: error,
    });
  }
  if (isImagesError(error, 'BROKEN_OFF', 'BAD_ANSWER')) {
    const what = error.code === 'BROKEN_OFF' ? 'closed the connection' : 'does not speak HTTP (or only TLS)';
    const hint = 'Check DOCKER_HOST and DOCKER_TLS_VERIFY, and the daemon’s log.';
    return new ImagesError(error.code, `the Docker daemon at ${address} ${what}`, { hint, cause: error });
  }
  return error;
}

function refusal(
  message: string,
  status: number,
  { method, path }: Pick<EngineRequest, 'method' | 'path'>,
): ImagesError {
  const said = message.trim().replaceAll(/\s+/g, ' ') || `status ${status} to ${method} ${path}`;
  if (status === 404) return new ImagesError('MANIFEST_UNKNOWN', `the Docker daemon says: ${said}`, { status, said });
  if (/no space left on device/i.test(said)) {
    const hint = 'Free space where the daemon keeps its data: `docker system df`.';
    return new ImagesError('NO_SPACE', `the Docker daemon says: ${said}`, { status, said, hint });
  }
  if (/^empty export/.test(said)) {
    const hint = 'Docker saves no image that has none. Take it from where it was built, or from a registry.';
    return new ImagesError('UNSUPPORTED', 'the image has no layers, so the Docker daemon cannot hand it out', {
      status,
      hint,
    });
  }
  return new ImagesError(status === 403 ? 'DENIED' : 'SERVER_ERROR', `the Docker daemon says: ${said}`, {
    status,
    said,
  });
}

async function messageOf(answer: HttpAnswer): Promise<string> {
  const { bytes } = await readUpTo(answer, { bytes: MAX_MESSAGE, within: answer.textWithin });
  const text = Buffer.from(bytes).toString();
  try {
    const value: unknown = JSON.parse(text);
    const { message } = isObject(value) ? value : ({} as Json);
    return typeof message === 'string' ? message : text;
  } catch {
    return text;
  }
}
