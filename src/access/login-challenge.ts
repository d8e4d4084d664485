// Where to get a token: `WWW-Authenticate: Bearer realm=…,service=…,scope=…` (distribution token specification). The address is the one by which the client came.
import { isHostName } from '../oci/reference.ts';
import { namedWithHost } from '../registry/policies/name-lookup.ts';
import type { RequestHead } from './contract.ts';

/** The path of the end-point that gives tokens. */
export const TOKEN_PATH = '/images/token';

export interface ChallengeOptions {
  readonly service: string;
  /** Whether what stands in X-Forwarded-Proto and X-Forwarded-Host of requests from this address is believed. */
  readonly trustedProxy: (address: string) => boolean;
}

/** A name or an IPv4 address, or an IPv6 address in brackets; then perhaps a port. Nothing that could end a quoted string, or lead elsewhere. */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
/** The characters of a quoted string that need no backslash. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Returns `undefined` if the request does not say by which name it came. */
export function loginChallenge(
  head: RequestHead,
  scope: string | undefined,
  { service, trustedProxy }: ChallengeOptions,
): string | undefined {
  const origin = originOf(head, trustedProxy(head.address));
  if (origin === undefined) return undefined;
  const wanted = scope === undefined ? '' : withHost(scope, head.url);
  const challenge = `Bearer realm="${origin}${TOKEN_PATH}",service="${service}"`;
  return wanted !== '' && PLAIN.test(wanted) ? `${challenge},scope="${wanted}"` : challenge;
}

/** Whether a text can stand in a challenge. */
export function isServiceName(text: string): boolean {
  return text !== '' && PLAIN.test(text);
}

function originOf({ headers, isSecure }: RequestHead, isForwarded: boolean): string | undefined {
  // HTTP/2 has `:authority` instead of Host.
  const own = headers.host ?? headers[':authority'];
  const host = (isForwarded ? lastOf(headers['x-forwarded-host']) : undefined) ?? own;
  if (typeof host !== 'string' || !HOST.test(host)) return undefined;
  const scheme = isForwarded ? lastOf(headers['x-forwarded-proto'])?.toLowerCase() : undefined;
  if (scheme === 'http' || scheme === 'https') return `${scheme}://${host}`;
  return `${isSecure ? 'https' : 'http'}://${host}`;
}

/** The last one is from the nearest proxy, which is believed; those before may be from anybody. */
function lastOf(header: string | readonly string[] | undefined): string | undefined {
  const last = [header ?? []].flat().join(',').split(',').at(-1)?.trim();
  return last === '' ? undefined : last;
}

/** A client that reads with `?ns=HOST` may be given a repository whose name has the host. */
function withHost(scope: string, url: string): string {
  const [, name = '', actions] = /^repository:([^:]+):([a-z,]+)$/.exec(scope) ?? [];
  const query = url.indexOf('?');
  const host = query < 0 ? null : new URLSearchParams(url.slice(query)).get('ns');
  if (actions !== 'pull' || host === null || !isHostName(host)) return scope;
  return [scope, ...namedWithHost(name, host).map((full) => `repository:${full}:pull`)].join(' ');
}
