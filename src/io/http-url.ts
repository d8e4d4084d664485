// Addresses of HTTP requests. Not the URL class: that one refuses IPv6 zones (`[fe80::1%25eth0]:5000`), which are valid hosts here.
import { ImagesError } from '../oci/errors.ts';

export interface HttpUrl {
  readonly secure: boolean;
  /** `host`, `host:port`, `[v6]:port`; in lower case, without the scheme's own port. */
  readonly host: string;
  /** With the query; begins with `/`. */
  readonly path: string;
}

export interface HostAndPort {
  /** As sockets want it: no brackets, a zone's `%25` decoded. */
  readonly hostname: string;
  readonly port: number;
}

/** Reads `http://…` and `https://…`; user and password are dropped. Errors: plain Error (the caller knows where it came from). */
export function parseHttpUrl(text: string): HttpUrl {
  const match = /^(https?):\/\/(?:[^/?#@]*@)?([^/?#@]+)([^#]*)/i.exec(text);
  if (!match) throw new Error(`not an http address [${text}]`);
  const [, scheme = '', host = '', rest = ''] = match;
  const secure = scheme.toLowerCase() === 'https';
  if (hostAndPort(host, secure).port > 65_535) throw new Error(`not an http address [${text}]`);
  return { secure, host: normaliseHost(host, secure), path: rest.startsWith('/') ? rest : `/${rest}` };
}

/** Where a Location or Link header leads: absolute, or relative to the request. Errors: BAD_ANSWER. */
export function resolveHttpUrl(base: HttpUrl, location: string): HttpUrl {
  if (/^https?:\/\/[^/?#]/i.test(location)) return elsewhere(base, location);
  const here = 'same-origin.invalid';
  const resolved = URL.parse(location, `http://${here}${base.path}`);
  if (resolved?.host === here) return { ...base, path: `${resolved.pathname}${resolved.search}` };
  if (resolved && location.startsWith('//')) return elsewhere(base, `${base.secure ? 'https' : 'http'}:${location}`);
  throw noHttpAddress(base, location);
}

function elsewhere(base: HttpUrl, location: string): HttpUrl {
  try {
    return parseHttpUrl(location);
  } catch {
    throw noHttpAddress(base, location);
  }
}

function noHttpAddress({ host }: HttpUrl, location: string): ImagesError {
  return new ImagesError('BAD_ANSWER', `${host} leads to no http address [${location.slice(0, 100)}]`);
}

/** Scheme, host and port alike: the border that credentials do not cross. */
export function sameOrigin(a: HttpUrl, b: HttpUrl): boolean {
  return a.secure === b.secure && a.host === b.host;
}

/** For messages: queries carry signatures and upload states, so they are left out. */
export function describeHttpUrl(url: HttpUrl): string {
  return `${url.secure ? 'https' : 'http'}://${url.host}${url.path.split('?', 1)[0]}`;
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

function normaliseHost(host: string, secure: boolean): string {
  return host.toLowerCase().replace(secure ? /:443$/ : /:80$/, '');
}

/** `:` and `/` may stand in a query as they are (RFC 3986, section 3.4); registries and people read them so. */
function encodeQuery(value: string): string {
  return encodeURIComponent(value).replaceAll('%3A', ':').replaceAll('%2F', '/');
}
