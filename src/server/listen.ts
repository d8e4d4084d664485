// Serves a registry on one or more addresses, with time limits that suit transfers of gigabytes, and stops gracefully.
import { createServer, type RequestListener, type ServerOptions } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import type { AccessControl } from '../access/contract.ts';
import type { TlsContexts } from '../certificates/contract.ts';
import { openFilesLimit } from '../io/files/open-files.ts';
import { ImagesError } from '../oci/errors.ts';
import type { Registry } from '../registry/contract.ts';
import { type BoundAddress, formatListenAddress, type ListenAddress } from './address.ts';
import type { Fetching } from './call.ts';
import { type Connections, createConnections } from './connections.ts';
import type { OnServerEvent } from './events.ts';
import { createRequestHandling, type RegistryHosts } from './handle.ts';
import type { HealthChecks, HealthFinding } from './health.ts';
import { defaultLimits, type ServerLimits } from './limits.ts';
import type { OperatorPages } from './operator-pages.ts';
import { type AddressServer, secureServer } from './secure-server.ts';

export interface ServeOptions {
  readonly registry: Registry;
  readonly listen: readonly ListenAddress[];
  readonly onEvent?: OnServerEvent;
  /** Told of the bytes of bodies as they come. Each comes in a buffer that is garbage soon, so a process may want to collect after so many of them. */
  readonly onReceived?: (bytes: number) => void;
  /** Stops the server, like disposing it. */
  readonly signal?: AbortSignal;
  /** Milliseconds that running requests have to finish when the server is stopped; a function is asked then. Default: half a second. */
  readonly grace?: number | (() => number);
  /** Limits that differ from `defaultLimits`. */
  readonly limits?: Partial<ServerLimits>;
  /** Names under which the registry has web pages, besides those that it listens on; a function is asked at each request. */
  readonly names?: readonly string[] | (() => readonly string[]);
  /** Hosts for which nodes may take this registry (`docker.io`): who asks under such a name means images of that host, as with `ns`. */
  readonly actsFor?: readonly string[];
  /** Checks for `/healthz` and `/readyz`; by default these always answer `ok`. */
  readonly health?: HealthChecks;
  /** Certificates for addresses with `tls`. The caller disposes of them. */
  readonly tls?: TlsContexts;
  /** Who may do what; `registry` obeys it by `permitted` (access/permitted.ts). Without it everybody may do everything. */
  readonly access?: AccessControl;
  /** Of a registry that fetches what is missing. */
  readonly fetching?: Fetching;
  /** Pages for those who run the registry. */
  readonly operators?: OperatorPages;
}

/** Disposing stops it: no new connections are accepted, running requests may finish within the grace period. */
export interface RunningServer extends AsyncDisposable {
  /** In the order of `listen`, with actual ports. */
  readonly addresses: readonly BoundAddress[];
  /** How many requests are being answered right now. */
  readonly activeRequests: number;
  readonly load: ServerLoad;
  /** What was found of its health, at most so many milliseconds ago. */
  health(maxAge: number): Promise<readonly HealthFinding[]>;
  /** As disposing it, with this grace. It can be called again while the server stops: the shorter time holds. */
  stop(grace: number): Promise<void>;
  /** Resolves when the server has stopped, for whatever reason. */
  readonly stopped: Promise<void>;
}

/** How much a server has to do right now, and may have. */
export interface ServerLoad {
  readonly connections: number;
  readonly mostConnections: number;
  /** That are being answered. */
  readonly requests: number;
  /** Begun and not ended. */
  readonly uploads: number;
  readonly mostUploads: number;
}

/** In milliseconds. */
const USUAL_GRACE = 500;
/** In milliseconds: what a timer can be set to. */
const LONGEST_GRACE = 2 ** 31 - 1;
/** Milliseconds between checks for clients that take too long for the head of a request. */
const CHECK_INTERVAL = 5000;
/** In bytes. Large, because partial pulls name up to a thousand ranges. */
const MAX_HEADERS = 64 * 1024;
/** In milliseconds. Longer than Go's clients keep an idle connection (90 s), so that the client closes it and no request gets lost. */
const KEEP_ALIVE_TIMEOUT = 120_000;
/** Bytes buffered for each connection before backpressure starts. */
const HIGH_WATER_MARK = 256 * 1024;

/**
 * Starts serving. All addresses are bound, or none.
 * Errors: ADDRESS_IN_USE, ADDRESS_NOT_PERMITTED, ADDRESS_UNAVAILABLE, USAGE (HTTPS without a certificate).
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const {
    registry,
    listen,
    health,
    access,
    fetching,
    onEvent = () => undefined,
    onReceived,
    grace = USUAL_GRACE,
  } = options;
  const limits = { ...defaultLimits(openFilesLimit()), ...options.limits };
  const connections = createConnections(limits);
  const handling = createRequestHandling({
    registry,
    onEvent,
    limits,
    connections,
    hosts: hostsNow(options),
    ...(health && { health }),
    ...(access && { access }),
    ...(fetching && { fetching }),
    ...(options.operators && { operators: options.operators }),
    ...(onReceived && { onReceived }),
  });
  const { listener } = handling;
  const servers: AddressServer[] = [];
  try {
    for (const address of listen) {
      const server = serverFor(address, { listener, connections, limits, ...(options.tls && { tls: options.tls }) });
      await bind(server.server, address, listen);
      servers.push(server);
    }
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop(0)));
    throw error;
  }
  const addresses = servers.map(({ server }, at) => boundAddress(server, listen[at]?.tls));
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  let isStopping = false;
  const stop = async (within: number): Promise<void> => {
    options.signal?.removeEventListener('abort', stopAll);
    isStopping = true;
    connections.stop();
    await Promise.all(servers.map((server) => server.stop(Math.min(within, LONGEST_GRACE))));
    resolve();
  };
  const stopAll = (): Promise<void> => (isStopping ? stopped : stop(typeof grace === 'number' ? grace : grace()));
  if (options.signal?.aborted) await stopAll();
  else options.signal?.addEventListener('abort', stopAll);
  return {
    addresses,
    stopped,
    get activeRequests() {
      return connections.busy;
    },
    get load() {
      return {
        connections: connections.size,
        mostConnections: limits.connections,
        requests: connections.busy,
        uploads: handling.unfinishedUploads,
        mostUploads: limits.uploads,
      };
    },
    health: (maxAge) => handling.health(maxAge),
    stop,
    [Symbol.asyncDispose]: stopAll,
  };
}

/** The names that are the registry's own now, and those under which it acts for others. */
function hostsNow({ names = [], actsFor = [], listen }: ServeOptions): () => RegistryHosts {
  const named = typeof names === 'function' ? names : () => names;
  const bound = listen.flatMap(({ host }) => host ?? []);
  const hosts = (of: readonly string[]): RegistryHosts => {
    const own = [...of, ...bound];
    return { own, actsFor: actsFor.filter((host) => !own.includes(host)) };
  };
  let last = named();
  let found = hosts(last);
  return () => {
    const now = named();
    if (now !== last) [last, found] = [now, hosts(now)];
    return found;
  };
}

interface ServedBy {
  readonly listener: RequestListener;
  readonly connections: Connections;
  readonly limits: ServerLimits;
  readonly tls?: TlsContexts;
}

function serverFor(address: ListenAddress, { listener, connections, limits, tls }: ServedBy): AddressServer {
  const http: ServerOptions = {
    highWaterMark: HIGH_WATER_MARK,
    maxHeaderSize: MAX_HEADERS,
    // Against slow loris: clients that send a byte now and then.
    headersTimeout: limits.head,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL, limits.head),
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    // There is no limit on a whole request: an upload of 100 GB is legitimate. body.ts ends those that fall silent.
    requestTimeout: 0,
  };
  if (!address.tls) return httpServer(listener, connections, http);
  if (tls) return secureServer(listener, { contexts: tls, connections, limits, http });
  throw new ImagesError('USAGE', `there is no certificate for [${formatListenAddress(address)}]`, {
    hint: 'Give one with its key, or let the registry make its own.',
  });
}

function httpServer(listener: RequestListener, connections: Connections, options: ServerOptions): AddressServer {
  const server = createServer(options);
  server.on('connection', (socket) => connections.admit(socket));
  server.on('request', listener);
  // `Expect: 100-continue`: the body is requested when a handler reads it, so a refused one is never sent.
  server.on('checkContinue', listener);
  return {
    server,
    stop: async (grace) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(() => server.closeAllConnections(), grace);
      // Closes idle connections now, busy ones after their request.
      server.close(() => resolve());
      await promise;
      clearTimeout(timer);
    },
  };
}

async function bind(server: Server, address: ListenAddress, all: readonly ListenAddress[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Later ones are of connections that could not be accepted, for want of files or memory: their clients come again.
  server.on('error', (error) => reject(explain(error, address)));
  const { host, port, inherited } = address;
  if (inherited) server.listen(inherited, () => resolve());
  else
    server.listen({ ...(host !== undefined && { host }), port, ipv6Only: isBesideIPv4(address, all) }, () => resolve());
  return promise;
}

/** `[::]` also accepts IPv4, unless an IPv4 address is listened on as well. */
function isBesideIPv4(address: ListenAddress, all: readonly ListenAddress[]): boolean {
  return (
    address.host === '::' &&
    all.some(({ host, port }) => host !== undefined && !host.includes(':') && port === address.port)
  );
}

function boundAddress(server: Server, tls = false): BoundAddress {
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port, ...(tls && { tls }) };
}

function explain(error: NodeJS.ErrnoException, address: ListenAddress): Error {
  const where = formatListenAddress(address);
  const because = (hint: string) => ({ hint, cause: error });
  switch (error.code) {
    case 'EADDRINUSE':
      return new ImagesError(
        'ADDRESS_IN_USE',
        `address is in use [${where}]`,
        because(`Something else listens on port ${address.port}: end it, or choose another with --listen=ADDR:PORT.`),
      );
    case 'EACCES':
    case 'EPERM':
      return new ImagesError(
        'ADDRESS_NOT_PERMITTED',
        `no permission to listen on [${where}]`,
        because(
          `Allow low ports with: sudo sysctl net.ipv4.ip_unprivileged_port_start=${address.port}` +
            `; or to Node alone: sudo setcap cap_net_bind_service=+ep "$(readlink -f "$(command -v node)")"` +
            '; or in its systemd unit: AmbientCapabilities=CAP_NET_BIND_SERVICE' +
            '. Or choose a port above 1023 with --listen=ADDR:PORT.',
        ),
      );
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ImagesError(
        'ADDRESS_UNAVAILABLE',
        `this machine does not have the address [${where}]`,
        because('List its addresses with: ip address; or listen on all of them with --listen=:PORT.'),
      );
    default:
      return error;
  }
}
