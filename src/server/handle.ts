// The listener for node:http: each message becomes one request value, one reply and one event. Whatever a client sends, nothing is thrown.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { plainAddress } from '../access/address-range.ts';
import type { AccessControl, Asker, RequestHead } from '../access/contract.ts';
import { createLimiter } from '../io/concurrency/limiter.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import type { Registry } from '../registry/contract.ts';
import { REQUEST_ID_HEADER } from '../registry/via-header.ts';
import { actingFor } from './acting-host.ts';
import { createActiveUploads } from './active-uploads.ts';
import { answer } from './answer.ts';
import { messageBody } from './body.ts';
import type { Call, Fetching, Shared } from './call.ts';
import { clientOf } from './client-of.ts';
import type { Connections } from './connections.ts';
import { connectionOf, endBodyGracefully, endConnectionAfter, headersOf, isEncrypted } from './either-http.ts';
import type { OnServerEvent, RequestEvent } from './events.ts';
import { throughGate } from './gate.ts';
import { createHealth, type HealthChecks, type HealthFinding } from './health.ts';
import { createHeldBytes } from './held-bytes.ts';
import type { ServerLimits } from './limits.ts';
import { type NamedBy, namedBy } from './named-by.ts';
import { isForOperators, type OperatorPages } from './operator-pages.ts';
import { errorReply, isRefusal, type Reply, rootOf } from './reply.ts';
import { parseRequest, type RegistryRequest } from './request.ts';
import { requestIds } from './request-id.ts';
import { isConnectionLost, sendReply } from './send.ts';
import { createUnfinishedUploads } from './unfinished-uploads.ts';
import { userAgents } from './user-agents.ts';
import { isPageOfElsewhere } from './web-pages.ts';
import { whenClosed } from './when-closed.ts';

export interface RegistryHosts {
  /** Names under which the registry may have web pages, besides addresses and `localhost`. */
  readonly own: readonly string[];
  /** Hosts for which nodes take the registry. */
  readonly actsFor: readonly string[];
}

export interface HandleOptions {
  readonly registry: Registry;
  readonly onEvent: OnServerEvent;
  readonly onReceived?: (bytes: number) => void;
  readonly limits: ServerLimits;
  readonly connections: Connections;
  /** Asked at each request. */
  readonly hosts: () => RegistryHosts;
  readonly health?: HealthChecks;
  /** Without it everybody may do everything. */
  readonly access?: AccessControl;
  readonly fetching?: Fetching;
  readonly operators?: OperatorPages;
}

export interface RequestHandling {
  readonly listener: RequestListener;
  /** Uploads that clients have begun and not ended. */
  readonly unfinishedUploads: number;
  /** What was found of its health, at most so many milliseconds ago. */
  health(maxAge: number): Promise<readonly HealthFinding[]>;
}

const COMMON_HEADERS = {
  'Docker-Distribution-Api-Version': 'registry/2.0',
  // A blob can contain anything, so browsers must not interpret it as a page.
  'X-Content-Type-Options': 'nosniff',
};

export function createRequestHandling(options: HandleOptions): RequestHandling {
  const shared = createShared(options);
  const naming = { idOf: requestIds(), agentOf: userAgents() };
  return {
    listener: (message, response) => {
      const connection = connectionOf(message);
      if (!connection) return;
      options.connections.inTurn({ connection, message, response }, () =>
        handle(message, response, { ...options, ...naming, shared, connection }),
      );
    },
    get unfinishedUploads() {
      return shared.unfinished.size;
    },
    health: (maxAge) => shared.health.findings(maxAge),
  };
}

const OTHER: NamedBy = { kind: 'other' };
const TOKEN: NamedBy = { kind: 'token' };

interface HandleContext extends HandleOptions {
  readonly shared: Shared;
  readonly connection: Socket;
  readonly idOf: ReturnType<typeof requestIds>;
  readonly agentOf: ReturnType<typeof userAgents>;
}

function handle(message: IncomingMessage, response: ServerResponse, context: HandleContext): void {
  const { onEvent, onReceived, limits, hosts, connections, shared, connection, idOf, agentOf } = context;
  const started = performance.now();
  const { method = 'GET', url = '/' } = message;
  const headers = headersOf(message);
  const id = idOf(headers[REQUEST_ID_HEADER]);
  const gone = new AbortController();
  const body = messageBody(message, response, {
    limits,
    onBrokenOff: () => gone.abort(),
    ...(onReceived && { onReceived }),
  });
  let sent = 0;
  let code: string | undefined;
  let named: NamedBy = OTHER;
  let digest: string | undefined;
  let asker: Asker | undefined;
  let tried: string | undefined;
  const head: RequestHead = {
    method,
    url,
    headers,
    address: plainAddress(connection.remoteAddress ?? ''),
    isSecure: isEncrypted(message),
    httpVersion: message.httpVersion,
  };
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
    const agent = headers['user-agent'];
    onEvent({
      type: 'request',
      id,
      ...named,
      ...(digest !== undefined && { digest }),
      ...(agent !== undefined && { userAgent: agentOf(agent) }),
      method,
      url,
      status: response.statusCode,
      ...(code !== undefined && { code }),
      sent,
      received: body.received(),
      duration: performance.now() - started,
      ...(asker ? whoAsked(asker) : whoTried(head, tried, context.access)),
    });
  });
  const call: Call = { ...shared, id, headers, body, client: clientOf(connection), signal: gone.signal };
  const fail = (error: unknown) => {
    // An error after the client has disconnected is no failure of the server.
    if (!isRefusal(error) && !gone.signal.aborted && !isConnectionLost(error))
      onEvent({ type: 'failure', id, method, url, error });
  };
  const refuse = async (thrown: unknown): Promise<Reply> => {
    const error = rootOf(thrown);
    fail(error);
    if (isImagesError(error, 'NO_SPACE')) await shared.unfinished.makeRoom();
    return errorReply(error);
  };
  const send = async (reply: Reply) => {
    code = reply.code;
    const known = reply.headers?.['Docker-Content-Digest'];
    if (typeof known === 'string') digest = known;
    endBodyGracefully(message, response, body.isHeldBack());
    if (connections.isStopping) endConnectionAfter(response);
    await sendReply(response, withCommonHeaders(reply, id), {
      head: method === 'HEAD',
      limits,
      signal: gone.signal,
      onSent: (bytes) => {
        sent += bytes;
      },
    });
  };
  const onAsker = (known: Asker) => {
    asker = known;
  };
  const onTried = (user: string) => {
    tried = user;
  };
  const onNamed = (known: NamedBy) => {
    named = known;
  };
  const telling = { onAsker, onTried, onNamed };
  void replyTo({ head, hosts: hosts(), ...telling, ...(context.access && { access: context.access }) }, call)
    .then((reply) => holdBody(reply, response, call))
    .catch(refuse)
    .then(send)
    .catch(fail);
}

function createShared(options: HandleOptions): Shared {
  const { registry, limits, health, connections, onEvent, fetching = {}, operators = {} } = options;
  const uploads = createActiveUploads();
  const isActive = ({ repository, id }: { readonly repository: string; readonly id: string }) =>
    uploads.has(repository, id);
  const onTrouble = (error: unknown) => onEvent({ type: 'failure', method: 'GET', url: '/healthz', error });
  return {
    registry,
    limits,
    manifests: createLimiter(limits.manifests),
    lists: createLimiter(limits.lists),
    held: createHeldBytes(limits),
    uploads,
    fetching,
    operators,
    unfinished: createUnfinishedUploads({ registry, isActive, limits }),
    health: createHealth(health, { onTrouble, isStopping: () => connections.isStopping }),
    stopping: connections.stopping,
  };
}

interface Asked {
  readonly head: RequestHead;
  readonly hosts: RegistryHosts;
  readonly access?: AccessControl;
  readonly onAsker: (asker: Asker) => void;
  readonly onTried: (user: string) => void;
  readonly onNamed: (named: NamedBy) => void;
}

async function replyTo({ head, hosts, access, onAsker, onTried, onNamed }: Asked, call: Call): Promise<Reply> {
  const { method, url } = head;
  if (isPageOfElsewhere(method, call.headers, hosts.own)) {
    throw new ImagesError('DENIED', 'pages of other web sites may not use this registry', {
      hint: 'Programs send neither Origin nor Sec-Fetch-Site. A name for pages of its own: serve --name=NAME.',
    });
  }
  const own = access?.endpoint?.(head, call.body.bytes);
  if (own) {
    onNamed(TOKEN);
    const { tried, ...reply } = await own;
    if (tried !== undefined) onTried(tried);
    return reply;
  }
  const request = actingFor(parseRequest(method, url), call.headers.host, hosts.actsFor);
  onNamed(namedBy(request));
  const answered = () => answer(request, call);
  const isOpen = isForOperators(request) && call.operators.isOpen?.(request.kind) === true;
  const reply = await (access ? throughGate(request, { access, head, isOpen, onAsker }, answered) : answered());
  const host = hostOf(request);
  return host === undefined ? reply : { ...reply, headers: { ...reply.headers, 'OCI-Namespace': host } };
}

/** For the log and the audit. */
function whoAsked({ address, via, user, token }: Asker): Who {
  return { remote: address, via, ...(user !== undefined && { user }), ...(token !== undefined && { token }) };
}

/** Who was refused before it was known who asks. */
function whoTried(head: RequestHead, tried: string | undefined, access: AccessControl | undefined): Who {
  const unknown = access?.unknown?.(head);
  const user = tried ?? unknown?.tried;
  return { remote: unknown?.address ?? head.address, ...(user !== undefined && { tried: user }) };
}

type Who = Pick<RequestEvent, 'remote' | 'user' | 'token' | 'via' | 'tried'>;

/** The host for which the answer was found (distribution specification, "Registry Proxying"). */
function hostOf(request: RegistryRequest): string | undefined {
  return 'host' in request ? request.host : undefined;
}

/** Counts a body in memory until the client has received it. Errors: TOOMANYREQUESTS. */
function holdBody(reply: Reply, response: ServerResponse, { held, client }: Call): Reply {
  if (!(reply.body instanceof Uint8Array)) return reply;
  const hold = held.open(client);
  hold.add(reply.body.length);
  whenClosed(response, () => hold[Symbol.dispose]());
  return reply;
}

function withCommonHeaders(reply: Reply, id: string): Reply {
  return { ...reply, headers: { ...COMMON_HEADERS, 'X-Request-ID': id, ...reply.headers } };
}
