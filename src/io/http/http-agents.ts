// Chooses the agent with kept-alive connections for a request: direct, through a proxy, or through a proxy's tunnel (RFC 9110, section 9.3.6).
import type { Agent } from 'node:http';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext, TLSSocket } from 'node:tls';
import { ImagesError } from '../../oci/errors.ts';
import { proxyFailure } from './http-failure.ts';
import { type HttpUrl, hostAndPort } from './http-url.ts';
import { leaderKind, lookupLedBy, type NamesHost, refuseLeading } from './led-by.ts';
import { nodeHttp, nodeHttps, nodeTls } from './node-http.ts';
import type { HttpProxy } from './proxy.ts';

/** PEM texts for TLS with a host, in addition to the well-known CAs. */
export interface TlsFiles {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

export interface AgentSettings {
  readonly proxyFor: (host: string, secure: boolean) => HttpProxy | undefined;
  /** Called once for each host, at its first https request. */
  readonly tlsFiles: (host: string) => Promise<TlsFiles>;
  /** See `NamesHost`. By default no host is named. */
  readonly namesHost?: NamesHost;
  /** Milliseconds that a proxy may take to open a tunnel. */
  readonly tunnelWithin: number;
}

/** Options for `http.request` or, where `secure`, `https.request`. */
export interface Carrier {
  readonly secure: boolean;
  readonly agent: Agent;
  readonly hostname: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For error messages: `proxy HOST:PORT`, if the connection leads to a proxy. A tunnel counts as leading to the host. */
  readonly proxy?: string;
  /** Whether there is no proxy in between, so that the connection's address is the host's. */
  readonly isDirect?: boolean;
  /** Replaces the usual name resolution. */
  readonly lookup?: LookupFunction;
  readonly tls: { readonly secureContext?: SecureContext; readonly rejectUnauthorized?: boolean };
  /** Whether certificates of the system's CAs are accepted. */
  readonly trustsSystem?: boolean;
}

export interface Agents extends Disposable {
  carrier(url: HttpUrl, anyCertificate: boolean): Promise<Carrier>;
  /** Trusts the system's CAs for this host as well. Loading them takes 100 ms, so this is done only after a certificate was refused. */
  widenTrust(host: string): void;
  /** Closes connections that are idle, and the others as soon as they are. */
  retire(): void;
}

const KEEP_ALIVE = { keepAlive: true, maxFreeSockets: 16 } as const;

export function createAgents(settings: AgentSettings): Agents {
  const agents = new Map<string, Agent>();
  const contexts = new Map<string, Promise<SecureContext>>();
  const widened = new Set<string>();
  let isRetired = false;

  const agent = (key: string, create: () => Agent): Agent => {
    const known = agents.get(key) ?? create();
    agents.set(key, known);
    if (isRetired) keepNoneIdle(known);
    return known;
  };
  const secureContext = (host: string): Promise<SecureContext> => {
    const known =
      contexts.get(host) ?? settings.tlsFiles(host).then((files) => createContext(files, widened.has(host)));
    contexts.set(host, known);
    return known;
  };

  return {
    async carrier(url, anyCertificate) {
      const named = settings.namesHost ?? (async () => false);
      await refuseLeading(url, named);
      const { hostname, port } = hostAndPort(url.host, url.secure);
      const proxy = settings.proxyFor(url.host, url.secure);
      const ledBy = proxy ? undefined : url.ledBy;
      const direct = {
        hostname,
        port,
        path: url.path,
        headers: { host: hostHeader(url.host) },
        isDirect: !proxy,
        ...(ledBy && { lookup: lookupLedBy(ledBy, url.host, named) }),
      };
      // Requests that an answer has led to must not reuse connections that the user's own choice has opened.
      const kind = ledBy ? ` led ${leaderKind(ledBy)}` : '';
      if (!url.secure) {
        if (!proxy) return { ...direct, secure: false, agent: agent(`http${kind}`, createHttpAgent), tls: {} };
        const headers = { ...direct.headers, ...authorization(proxy) };
        const path = `http://${hostHeader(url.host)}${url.path}`;
        const byProxy = { hostname: proxy.hostname, port: proxy.port, proxy: nameOf(proxy), path, headers, tls: {} };
        return proxy.secure
          ? { ...byProxy, secure: true, agent: agent('https', createHttpsAgent) }
          : { ...byProxy, secure: false, agent: agent('http', createHttpAgent) };
      }
      const trustsSystem = widened.has(url.host);
      const tls = { secureContext: await secureContext(url.host), rejectUnauthorized: !anyCertificate };
      // The agent's own key for a connection ignores the secure context, so hosts with different contexts need agents of their own.
      const key = `${url.host} ${trustsSystem} ${proxy ? `${proxy.hostname}:${proxy.port}` : ''}${kind}`;
      const create = proxy ? () => createTunnelAgent(proxy, settings.tunnelWithin) : createHttpsAgent;
      return { ...direct, secure: true, agent: agent(key, create), tls, trustsSystem };
    },
    widenTrust(host) {
      if (widened.has(host)) return;
      widened.add(host);
      contexts.delete(host);
    },
    retire() {
      isRetired = true;
      for (const each of agents.values()) keepNoneIdle(each);
    },
    [Symbol.dispose]() {
      for (const each of agents.values()) each.destroy();
      agents.clear();
    },
  };
}

function keepNoneIdle(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const idle of Object.values(agent.freeSockets)) for (const socket of idle ?? []) socket.destroy();
}

function createHttpAgent(): Agent {
  return new (nodeHttp().Agent)(KEEP_ALIVE);
}

function createHttpsAgent(): Agent {
  return new (nodeHttps().Agent)(KEEP_ALIVE);
}

function createContext(files: TlsFiles, withSystem: boolean): SecureContext {
  const tls = nodeTls();
  const own = files.ca ?? [];
  const system = withSystem ? tls.getCACertificates('system') : [];
  const ca = own.length + system.length > 0 ? [...tls.getCACertificates('default'), ...system, ...own] : undefined;
  return tls.createSecureContext({
    ...(ca && { ca }),
    ...(files.cert && { cert: files.cert }),
    ...(files.key && { key: files.key }),
  });
}

/** An agent that speaks TLS inside a tunnel, which the proxy opens on CONNECT. */
function createTunnelAgent(proxy: HttpProxy, within: number): Agent {
  const agent = createHttpsAgent();
  agent.createConnection = (options, callback) => {
    const { hostname, port } = { hostname: options.host ?? '', port: Number(options.port) };
    const authority = hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`;
    openTunnel(proxy, authority, within).then(
      (socket) => callback?.(null, encrypt(socket, options)),
      (error: Error) => callback?.(error, undefined as never),
    );
    return undefined;
  };
  return agent;
}

function encrypt(socket: Duplex, options: object): TLSSocket {
  return nodeTls().connect({ ...options, socket });
}

function openTunnel(proxy: HttpProxy, authority: string, within: number): Promise<Duplex> {
  const { request } = proxy.secure ? nodeHttps() : nodeHttp();
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const connect = request({
    hostname: proxy.hostname,
    port: proxy.port,
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...authorization(proxy) },
    agent: false,
  });
  const name = nameOf(proxy);
  // A limit for the whole exchange, because a proxy could send a byte now and then and never open the tunnel.
  const late = setTimeout(
    () => connect.destroy(new ImagesError('TIMEOUT', `${name} opens no connection to ${authority}`)),
    within,
  );
  connect.on('close', () => clearTimeout(late));
  connect.on('error', (error) => reject(proxyFailure(name, error)));
  connect.on('connect', (answer, socket) => {
    clearTimeout(late);
    if (answer.statusCode === 200) return resolve(socket);
    socket.destroy();
    const hint =
      answer.statusCode === 407 ? 'Write user and password into https_proxy.' : 'Check https_proxy and no_proxy.';
    reject(new ImagesError('UNREACHABLE', `${name} refuses ${authority} [${answer.statusCode}]`, { hint }));
  });
  connect.end();
  return promise;
}

function nameOf({ hostname, port }: HttpProxy): string {
  return `proxy ${hostname}:${port}`;
}

function authorization(proxy: HttpProxy): Record<string, string> {
  return proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization };
}

/** The Host header, without an IPv6 zone, which has a meaning on this machine only (RFC 9110, section 7.2; RFC 6874). */
function hostHeader(host: string): string {
  return host.replace(/%25[^\]]*/, '');
}
