// Addresses of HTTP requests. Not the URL class: that one refuses IPv6 zones (`[fe80::1%25eth0]:5000`), which are valid hosts here.
import { ImagesError } from '../../oci/errors.ts';
import { quote } from '../text/quote.ts';

export interface HttpUrl {
  readonly secure: boolean;
  /** `host`, `host:port`, `[v6]:port`; in lower case, without the scheme's own port. */
  readonly host: string;
  /** With the query; begins with `/`. */
  readonly path: string;
  /** The address at which it was reached, this machine's as `127.0.0.1`: known of answers that came without a proxy. */
  readonly at?: string;
  /** Where it was read: an answer from another origin, as opposed to what a user named. See `led-by.ts`. */
  readonly ledBy?: Leader;
}

export interface Leader {
  readonly host: string;
  readonly at?: string;
}

const MAX_PORT = 65_535;

export interface HostAndPort {
  /** As sockets want it: no brackets, a zone's `%25` decoded. */
  readonly hostname: string;
  readonly port: number;
}

/**
 * Reads `http://…` and `https://…`; user and password are dropped, and what no request line can hold is percent-encoded.
 * Errors: plain Error, which does not repeat the text: it may hold a password (the caller knows where it came from).
 */
export function parseHttpUrl(text: string): HttpUrl {
  const [, scheme = '', authority = '', rest = ''] = /^(https?):\/\/([^/?#\\]*)([^#]*)/is.exec(text) ?? [];
  const secure = scheme.toLowerCase() === 'https';
  const host = readHost(authority.slice(authority.lastIndexOf('@') + 1), secure);
  if (scheme === '' || host === undefined) throw new Error('not an http address');
  return { secure, host, path: sendable(rest.startsWith('/') ? rest : `/${rest}`) };
}

/** `undefined` where the text is no address of that kind. */
export function tryParseHttpUrl(text: string): HttpUrl | undefined {
  try {
    return parseHttpUrl(text);
  } catch {
    return undefined;
  }
}

/** A host with or without a port, as it is connected to; `undefined` where nothing can be: no name, no address, no port from 1 to 65535. */
function readHost(text: string, secure: boolean): string | undefined {
  const [, name = '', port = ''] = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(text) ?? [];
  const known = readHostname(name.toLowerCase());
  const number = port === '' ? undefined : Number(port);
  if (known === undefined || (number !== undefined && (number < 1 || number > MAX_PORT))) return undefined;
  return number === undefined || number === (secure ? 443 : 80) ? known : `${known}:${number}`;
}

/** Names stay names; an address in another spelling (`2130706433`, `0x7f.1`, `[::ffff:127.0.0.1]`) is written as all others are. */
function readHostname(name: string): string | undefined {
  const [, address, zone] = /^\[([0-9a-f:.]+)%(?:25)?([\w.-]+)\]$/.exec(name) ?? [];
  if (zone !== undefined) return URL.canParse(`http://[${address}]/`) ? `[${address}%25${zone}]` : undefined;
  // The URL class would leave out line breaks and tabs.
  if (/[\p{Cc}\s]/u.test(name)) return undefined;
  const plain = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?$/.test(name);
  const url = URL.parse(`http://${name}/`);
  if (url && url.pathname === '/' && url.href === `http://${url.hostname}/`) return url.hostname;
  // Names of digits and dots that are no addresses can still be looked up.
  return plain ? name : undefined;
}

/** What is signed stays as it was signed; only what would end the request line, or Node refuses, is encoded. */
function sendable(path: string): string {
  return /^[\x21-\x7e]*$/.test(path) ? path : encodeURI(path.toWellFormed()).replaceAll('%25', '%');
}

/** Where a Location or Link header leads: absolute, or relative to the request. Errors: BAD_ANSWER. */
export function resolveHttpUrl(base: HttpUrl, location: string): HttpUrl {
  if (/^https?:\/\/[^/?#]/i.test(location)) return ledTo(base, location) ?? leadsNowhere(base, location);
  const here = 'same-origin.invalid';
  const resolved = URL.parse(location, `http://${here}${base.path}`);
  if (resolved?.host === here) return { ...base, path: `${resolved.pathname}${resolved.search}` };
  const elsewhere = resolved && location.startsWith('//') ? `${base.secure ? 'https' : 'http'}:${location}` : '';
  return ledTo(base, elsewhere) ?? leadsNowhere(base, location);
}

/** Where a whole address in an answer leads; `undefined` where it is none. */
export function ledTo(base: HttpUrl, address: string): HttpUrl | undefined {
  const url = tryParseHttpUrl(address);
  if (url === undefined) return undefined;
  const { host, at } = base;
  // Behind a proxy that ends TLS, registries often believe that they are asked over plain http.
  if (url.host === host && (base.secure || !url.secure)) return { ...base, path: url.path };
  return { ...url, ledBy: { host, ...(at !== undefined && { at }) } };
}

function leadsNowhere({ host }: HttpUrl, location: string): never {
  throw new ImagesError('BAD_ANSWER', `${host} leads to no http address [${quote(location, 100)}]`);
}

/** Scheme, host and port alike: the border that credentials do not cross. */
export function sameOrigin(a: HttpUrl, b: HttpUrl): boolean {
  return a.secure === b.secure && a.host === b.host;
}

const MAX_DESCRIBED = 500;

/** For messages: queries carry signatures and upload states, so they are left out; and paths are what others make of what they were sent. */
export function describeHttpUrl(url: HttpUrl): string {
  return quote(`${url.secure ? 'https' : 'http'}://${url.host}${url.path.split('?', 1)[0]}`, MAX_DESCRIBED);
}

export type Query = Readonly<Record<string, string | undefined>>;

export function withQuery(url: HttpUrl, query: Query): HttpUrl {
  return { ...url, path: pathWithQuery(url.path, query) };
}

/** Adds parameters to a path that may have some; those without a value are left out. */
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

/** `localhost` and the loopback addresses: never proxied, and plain http without being told so. */
export function isLoopbackHost(host: string): boolean {
  const { hostname } = hostAndPort(host.toLowerCase(), false);
  return hostname === 'localhost' || hostname === '::1' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** `:` and `/` may stand in a query as they are (RFC 3986, section 3.4); registries and people read them so. */
function encodeQuery(value: string): string {
  return encodeURIComponent(value).replaceAll('%3A', ':').replaceAll('%2F', '/');
}
