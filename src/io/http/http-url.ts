// URLs of HTTP requests. The URL class is not used, because it rejects IPv6 zones (`[fe80::1%25eth0]:5000`), which are valid here.
import { ImagesError } from '../../oci/errors.ts';
import { quote } from '../text/quote.ts';

export interface HttpUrl {
  readonly secure: boolean;
  /** `host`, `host:port` or `[v6]:port`, in lower case, without the scheme's default port. */
  readonly host: string;
  /** Path and query; begins with `/`. */
  readonly path: string;
  /** The IP address that answered, `127.0.0.1` for this machine's own addresses. Known only for answers that came without a proxy. */
  readonly at?: string;
  /** The answer that this URL was read from, if it came from another origin; absent for a URL that the user named. See `led-by.ts`. */
  readonly ledBy?: Leader;
}

export interface Leader {
  readonly host: string;
  readonly at?: string;
}

const MAX_PORT = 65_535;

export interface HostAndPort {
  /** As sockets expect it: without brackets, and with a zone's `%25` decoded. */
  readonly hostname: string;
  readonly port: number;
}

/**
 * Parses `http://…` and `https://…`. User and password are dropped; characters that a request line cannot hold are percent-encoded.
 * Errors: plain Error, whose message does not repeat the text, because it may hold a password. The caller knows where the text came from.
 */
export function parseHttpUrl(text: string): HttpUrl {
  const [, scheme = '', authority = '', rest = ''] = /^(https?):\/\/([^/?#\\]*)([^#]*)/is.exec(text) ?? [];
  const secure = scheme.toLowerCase() === 'https';
  const host = readHost(authority.slice(authority.lastIndexOf('@') + 1), secure);
  if (scheme === '' || host === undefined) throw new Error('not an http address');
  return { secure, host, path: sendable(rest.startsWith('/') ? rest : `/${rest}`) };
}

/** Like `parseHttpUrl`, but returns `undefined` if the text is no such URL. */
export function tryParseHttpUrl(text: string): HttpUrl | undefined {
  try {
    return parseHttpUrl(text);
  } catch {
    return undefined;
  }
}

/** A host with or without a port, normalised; `undefined` if it cannot be connected to (bad name, address or port). */
function readHost(text: string, secure: boolean): string | undefined {
  const [, name = '', port = ''] = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(text) ?? [];
  const known = readHostname(name.toLowerCase());
  const number = port === '' ? undefined : Number(port);
  if (known === undefined || (number !== undefined && (number < 1 || number > MAX_PORT))) return undefined;
  return number === undefined || number === (secure ? 443 : 80) ? known : `${known}:${number}`;
}

/** Normalises a host name: IP addresses in other spellings (`2130706433`, `0x7f.1`, `[::ffff:127.0.0.1]`) get the usual one; names stay as they are. */
function readHostname(name: string): string | undefined {
  const [, address, zone] = /^\[([0-9a-f:.]+)%(?:25)?([\w.-]+)\]$/.exec(name) ?? [];
  if (zone !== undefined) return URL.canParse(`http://[${address}]/`) ? `[${address}%25${zone}]` : undefined;
  // The URL class would silently remove line breaks and tabs.
  if (/[\p{Cc}\s]/u.test(name)) return undefined;
  const plain = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?$/.test(name);
  const url = URL.parse(`http://${name}/`);
  if (url && url.pathname === '/' && url.href === `http://${url.hostname}/`) return url.hostname;
  // A name of digits and dots that is no address can still be resolved.
  return plain ? name : undefined;
}

/** Encodes only what would end the request line or what Node rejects, because a signed path must stay as it was signed. */
function sendable(path: string): string {
  return /^[\x21-\x7e]*$/.test(path) ? path : encodeURI(path.toWellFormed()).replaceAll('%25', '%');
}

/** Resolves a Location or Link header: absolute, or relative to the request. Errors: BAD_ANSWER. */
export function resolveHttpUrl(base: HttpUrl, location: string): HttpUrl {
  if (/^https?:\/\/[^/?#]/i.test(location)) return ledTo(base, location) ?? leadsNowhere(base, location);
  const here = 'same-origin.invalid';
  const resolved = URL.parse(location, `http://${here}${base.path}`);
  if (resolved?.host === here) return { ...base, path: `${resolved.pathname}${resolved.search}` };
  const elsewhere = resolved && location.startsWith('//') ? `${base.secure ? 'https' : 'http'}:${location}` : '';
  return ledTo(base, elsewhere) ?? leadsNowhere(base, location);
}

/** Resolves an absolute URL in an answer; `undefined` if it is none. */
export function ledTo(base: HttpUrl, address: string): HttpUrl | undefined {
  const url = tryParseHttpUrl(address);
  if (url === undefined) return undefined;
  const { host, at } = base;
  // Behind a proxy that terminates TLS, registries often believe that they are asked over plain http.
  if (url.host === host && (base.secure || !url.secure)) return { ...base, path: url.path };
  return { ...url, ledBy: { host, ...(at !== undefined && { at }) } };
}

function leadsNowhere({ host }: HttpUrl, location: string): never {
  throw new ImagesError('BAD_ANSWER', `${host} leads to no http address [${quote(location, 100)}]`);
}

/** Whether scheme, host and port are equal. Credentials do not cross this border. */
export function sameOrigin(a: HttpUrl, b: HttpUrl): boolean {
  return a.secure === b.secure && a.host === b.host;
}

const MAX_DESCRIBED = 500;

/** The URL for messages: without the query, which can hold signatures and upload states, and quoted, because others can influence the path. */
export function describeHttpUrl(url: HttpUrl): string {
  return quote(`${url.secure ? 'https' : 'http'}://${url.host}${url.path.split('?', 1)[0]}`, MAX_DESCRIBED);
}

export type Query = Readonly<Record<string, string | undefined>>;

export function withQuery(url: HttpUrl, query: Query): HttpUrl {
  return { ...url, path: pathWithQuery(url.path, query) };
}

/** Adds query parameters to a path, which may have some already. Parameters without a value are left out. */
export function pathWithQuery(path: string, query: Query): string {
  const added = Object.entries(query)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) => `${name}=${encodeQuery(value)}`)
    .join('&');
  return added === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${added}`;
}

export function hostAndPort(host: string, secure: boolean): HostAndPort {
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(host);
  const name = match?.[1] ?? host;
  const port = match?.[2] === undefined ? (secure ? 443 : 80) : Number(match[2]);
  return { hostname: name.startsWith('[') ? name.slice(1, -1).replace('%25', '%') : name, port };
}

/** Whether it is `localhost` or a loopback address. Such hosts are never asked through a proxy, and may use plain http by default. */
export function isLoopbackHost(host: string): boolean {
  const { hostname } = hostAndPort(host.toLowerCase(), false);
  return hostname === 'localhost' || hostname === '::1' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** Encodes a query value, but keeps `:` and `/`, which are allowed in a query (RFC 3986, section 3.4) and better to read. */
function encodeQuery(value: string): string {
  return encodeURIComponent(value).replaceAll('%3A', ':').replaceAll('%2F', '/');
}
