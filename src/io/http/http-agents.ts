// Connections that are kept alive: which agent carries a request, directly, through a proxy, or through a proxy's tunnel (RFC 9110, section 9.3.6).
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

/** What TLS with a host takes beside the well-known CAs; PEM texts. */
export interface TlsFiles {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

export interface AgentSettings {
  readonly proxyFor: (host: string, secure: boolean) => HttpProxy | undefined;
  /** Asked once a host, at its first https request. */
  readonly tlsFiles: (host: string) => Promise<TlsFiles>;
  /** Nobody is named when absent. */
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
  /** The proxy that the connection leads to: `proxy HOST:PORT`. A tunnel leads to the host. */
  readonly proxy?: string;
  /** Whether no proxy of any kind is between: the connection's address is the host's. */
  readonly isDirect?: boolean;
  /** How the name is resolved, where not as always. */
  readonly lookup?: LookupFunction;
  readonly tls: { readonly secureContext?: SecureContext; readonly rejectUnauthorized?: boolean };
  /** Whether certificates that the system's CAs vouch for would be accepted. */
  readonly trustsSystem?: boolean;
}

export interface Agents extends Disposable {
  carrier(url: HttpUrl, anyCertificate: boolean): Promise<Carrier>;
  /** Takes the system's CAs to the well-known ones for this host: they take 100 ms to load, so only where a certificate was refused. */
  widenTrust(host: string): void;
}

const KEEP_ALIVE = { keepAlive: true, maxFreeSockets: 16 } as const;

export function createAgents(settings: AgentSettings): Agents {
  const agents = new Map<string, Agent>();
  const contexts = new Map<string, Promise<SecureContext>>();
  const widened = new Set<string>();

  const agent = (key: string, create: () => Agent): Agent => {
    const known = agents.get(key) ?? create();
    agents.set(key, known);
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
      // A connection that a user's own choice has opened is not for those who may not lead there.
      const kind = ledBy ? ` led ${leaderKind(ledBy)}` : '';
      if (!url.secure) {
        if (!proxy) return { ...direct, secure: false, agent: agent(`http${kind}`, createHttpAgent), tls: {} };
        const headers = { ...direct.headers, ...authorization(proxy) };
        const path = `http://${hostHeader(url.host)}${url.path}`;
        const place = { hostname: proxy.hostname, port: proxy.port, proxy: nameOf(proxy), path, headers, tls: {} };
        return proxy.secure
          ? { ...place, secure: true, agent: agent('https', createHttpsAgent) }
          : { ...place, secure: false, agent: agent('http', createHttpAgent) };
      }
      const trustsSystem = widened.has(url.host);
      const tls = { secureContext: await secureContext(url.host), rejectUnauthorized: !anyCertificate };
      // The agent's own key for a connection leaves the context out: hosts must not share agents where contexts differ.
      const key = `${url.host} ${trustsSystem} ${proxy ? `${proxy.hostname}:${proxy.port}` : ''}${kind}`;
      const create = proxy ? () => createTunnelAgent(proxy, settings.tunnelWithin) : createHttpsAgent;
      return { ...direct, secure: true, agent: agent(key, create), tls, trustsSystem };
    },
    widenTrust(host) {
      if (widened.has(host)) return;
      widened.add(host);
      contexts.delete(host);
    },
    [Symbol.dispose]() {
      for (const each of agents.values()) each.destroy();
      agents.clear();
    },
  };
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

/** An agent whose connections are TLS inside a tunnel that the proxy opened with CONNECT. */
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
  // For all of it: a proxy that sends a byte now and then opens no tunnel either.
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

/** An IPv6 zone means something on this machine only (RFC 9110, section 7.2; RFC 6874). */
function hostHeader(host: string): string {
  return host.replace(/%25[^\]]*/, '');
}
