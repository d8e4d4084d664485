// The entry point of the client: one Registry for each host, over one pool of connections. Nothing is loaded or read before a request needs it.
import { DEFAULT_BACKOFF } from '../../io/concurrency/backoff.ts';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { createHttpPool, DEFAULT_TIMEOUTS } from '../../io/http/http.ts';
import { proxyFor } from '../../io/http/proxy.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { canonicalHost } from '../../oci/reference.ts';
import type { Registry } from '../contract.ts';
import { defaultAddress } from './config/docker-hub.ts';
import { createEndpointHttp } from './endpoint-http.ts';
import { type EndpointRegistry, httpRegistry } from './http-registry.ts';
import { routedRegistry } from './routed-registry.ts';
import type { Patience } from './routes.ts';
import type { ClientSettings, Endpoint, HostRule } from './settings.ts';

export interface RegistryClients extends AsyncDisposable {
  /** The registry at `host[:port]`, in any spelling of Docker Hub's name. Returns the same object each time. Sends nothing before its first use. */
  forHost(host: string): Registry;
  /** Asks the host itself, never a mirror, whether it lets this user in. Errors: UNAUTHORIZED, DENIED, those of every request. */
  ping(host: string, options?: CallOptions): Promise<void>;
  /** Keeps no idle connection any more; what is under way goes on to its end. */
  retire(): void;
}

const REQUESTS_PER_HOST = 8;
/** If there is another route to ask, a route is tried twice at most, with at most one second in between. */
const HASTY = { attempts: 2, longest: 1000 };
const COMMIT_WITHIN = 300_000;
const MOUNT_WITHIN = 10_000;

/** The HTTP clients of registries, one for each host, over one pool of connections. */
export function registryClients(settings: ClientSettings): RegistryClients {
  const { temporaryDirectory, onRetry } = settings;
  const timeouts = { ...DEFAULT_TIMEOUTS, commit: COMMIT_WITHIN, mount: MOUNT_WITHIN, ...settings.timeouts };
  const whole = settings.backoff ?? DEFAULT_BACKOFF;
  const privateSchemes = new Map((settings.privateHosts ?? []).map(splitScheme));
  const isPrivate = (host: string) => privateSchemes.has(host);
  const pool = createHttpPool({
    timeouts,
    tunnelWithin: timeouts.headers,
    proxyFor: (host, secure) => (isPrivate(host) ? undefined : proxyFor(settings.proxies ?? {}, host, secure)),
    namesHost: async (host) => isPrivate(host) || ((await settings.namesHost?.(canonicalHost(host))) ?? false),
    tlsFiles: async (host) => (await settings.tlsFiles?.(host)) ?? {},
    ...(settings.onHttp && { onEvent: settings.onHttp }),
  });

  const isInsecure = async (host: string): Promise<boolean> => {
    const upstream = (await settings.hostRule?.(host, undefined))?.upstream;
    return upstream?.host === defaultAddress(host) && (upstream.insecure === true || upstream.scheme === 'http');
  };

  const endpoints = new Map<string, EndpointRegistry>();
  const connect = (endpoint: Endpoint, patience: Patience): EndpointRegistry => {
    const key = JSON.stringify([
      endpoint.scheme,
      endpoint.host,
      endpoint.root,
      endpoint.insecure,
      endpoint.isStrange,
      patience,
    ]);
    const known = endpoints.get(key);
    if (known) return known;
    const backoff =
      patience === 'whole' ? whole : { ...whole, ...HASTY, attempts: Math.min(whole.attempts, HASTY.attempts) };
    const http = createEndpointHttp(endpoint, {
      pool,
      backoff,
      isPrivate,
      isInsecure,
      limiter: createLimiter(settings.requestsPerHost ?? REQUESTS_PER_HOST),
      credentials: settings.credentials,
      userAgent: settings.userAgent ?? 'images',
      onRetry,
      onDecision: settings.onDecision,
    });
    const { commit, mount } = timeouts;
    const created = httpRegistry(http, {
      backoff,
      commitWithin: commit,
      mountWithin: mount,
      onRetry,
      temporaryDirectory,
    });
    endpoints.set(key, created);
    return created;
  };

  const rule = async (host: string, repository: string | undefined): Promise<HostRule> => {
    const scheme = privateSchemes.get(host);
    const there = { host: defaultAddress(host), ...(scheme && { scheme }) };
    // A private host that is not known to use TLS needs nothing from configuration files.
    if (isPrivate(host) && scheme !== 'https') return { mirrors: [], upstream: there };
    const configured = await settings.hostRule?.(host, repository);
    if (isPrivate(host))
      return { mirrors: [], upstream: { ...there, insecure: configured?.upstream?.insecure ?? false } };
    const found = configured ?? { mirrors: [], upstream: there };
    const isStrange = found.upstream?.host === there.host && (settings.isStrange?.(host) ?? false);
    return isStrange ? { ...found, upstream: { ...found.upstream, isStrange } } : found;
  };

  const hosts = new Map<string, Registry>();
  return {
    forHost(written) {
      const host = canonicalHost(written);
      const { onDecision } = settings;
      const routing = { rule, connect, onRetry, onDecision, temporaryDirectory };
      const known = hosts.get(host) ?? routedRegistry(host, routing);
      hosts.set(host, known);
      return known;
    },
    async ping(written, options) {
      const host = canonicalHost(written);
      const { upstream } = await rule(host, undefined);
      await connect(upstream ?? { host: defaultAddress(host) }, 'whole').ping(options);
    },
    retire: () => pool.retire(),
    async [Symbol.asyncDispose]() {
      pool[Symbol.dispose]();
    },
  };
}

function splitScheme(text: string): readonly [string, Endpoint['scheme']] {
  const [, scheme, host = text] = /^(?:(https?):\/\/)?([^/]+)/i.exec(text) ?? [];
  return [canonicalHost(host), scheme?.toLowerCase() as Endpoint['scheme']];
}
