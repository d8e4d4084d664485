// Chooses the proxy for a request by the variables of the http_proxy family, with the rules of curl and Go, which agree in all that matters.
import { ImagesError } from '../../oci/errors.ts';
import { rememberSecrets } from '../text/secrets.ts';
import { hostAndPort, isLoopbackHost } from './http-url.ts';
import { nodeNet } from './node-http.ts';

export interface ProxySettings {
  readonly http?: string;
  readonly https?: string;
  /** Separated by commas or blanks: `*`, `host`, `.domain`, `host:port`, addresses and CIDR blocks. */
  readonly noProxy?: string;
}

export interface HttpProxy {
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  /** The value of Proxy-Authorization, which is a secret. */
  readonly authorization?: string;
}

/** Reads the variables from an environment. Names in lower case win. */
export function proxySettings(env: Readonly<Record<string, string | undefined>>): ProxySettings {
  const value = (name: string) => env[name] || env[name.toUpperCase()] || undefined;
  const http = value('http_proxy') ?? value('all_proxy');
  const https = value('https_proxy') ?? value('all_proxy');
  const noProxy = value('no_proxy');
  return { ...(http && { http }), ...(https && { https }), ...(noProxy && { noProxy }) };
}

/** The proxy for a host; `undefined` for a direct connection, which loopback addresses always use. Errors: CONFIG_INVALID. */
export function proxyFor(settings: ProxySettings, host: string, secure: boolean): HttpProxy | undefined {
  const configured = secure ? settings.https : settings.http;
  if (!configured || isLoopbackHost(host) || isExempt(settings.noProxy ?? '', host, secure)) return undefined;
  return parseProxy(configured, secure ? 'https_proxy' : 'http_proxy');
}

function parseProxy(text: string, variable: string): HttpProxy {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (!url?.hostname || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ImagesError('CONFIG_INVALID', `${variable} is not the address of an http proxy`, {
      hint: 'Write http://host:port, for example http://proxy.example.com:3128.',
    });
  }
  const secure = url.protocol === 'https:';
  const { hostname, port } = hostAndPort(url.host, secure);
  if (!url.username) return { secure, hostname, port };
  const password = decoded(url.password);
  const pair = Buffer.from(`${decoded(url.username)}:${password}`).toString('base64');
  rememberSecrets(password, pair);
  return { secure, hostname, port, authorization: `Basic ${pair}` };
}

/** Percent-decodes a text. A stray `%` stays, as in curl. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isExempt(list: string, host: string, secure: boolean): boolean {
  const { hostname, port } = hostAndPort(host.toLowerCase(), secure);
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== '' && (entry === '*' || matches(entry, hostname, port)));
}

function matches(entry: string, hostname: string, port: number): boolean {
  const [, address = '', prefix] = /^(.*)\/(\d{1,3})$/.exec(entry) ?? [];
  if (prefix !== undefined) return isInBlock(address, Number(prefix), hostname);
  const wanted = /^[^:[]*:[0-9a-f]*:/.test(entry) ? { name: entry, port: undefined } : splitPort(entry);
  if (wanted.port !== undefined && wanted.port !== port) return false;
  const name = wanted.name.replace(/^\*(?=\.)/, '');
  return name.startsWith('.') ? hostname.endsWith(name) : hostname === name || hostname.endsWith(`.${name}`);
}

function splitPort(entry: string): { readonly name: string; readonly port: number | undefined } {
  const [, name = entry, port] = /^(.+?)(?::(\d+))?$/.exec(entry) ?? [];
  return { name: name.replace(/^\[(.*)\]$/, '$1'), port: port === undefined ? undefined : Number(port) };
}

/** Whether an address lies in a CIDR block; false for a name. */
export function isInBlock(address: string, prefix: number, hostname: string): boolean {
  const net = nodeNet();
  const family = net.isIP(hostname);
  if (family === 0 || family !== net.isIP(address) || prefix > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const block = new net.BlockList();
  block.addSubnet(address, prefix, type);
  return block.check(hostname, type);
}
