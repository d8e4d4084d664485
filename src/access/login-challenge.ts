// Where to get a token: `WWW-Authenticate: Bearer realm=…,service=…,scope=…` (distribution token specification). The address is the one by which the client came;
// where a proxy does not say which that is, the challenge is Basic, which needs none.
import { isHostName } from '../oci/reference.ts';
import { namedWithHost } from '../registry/policies/name-lookup.ts';
import { isProxied, type Neighbours } from './asker-address.ts';
import type { RequestHead } from './contract.ts';

/** The path of the end-point that gives tokens. */
export const TOKEN_PATH = '/images/token';

/** RFC 7617. */
export const BASIC_CHALLENGE = 'Basic realm="images", charset="UTF-8"';

export interface ChallengeOptions {
  readonly service: string;
  readonly neighbours: Neighbours;
}

/** A name or an IPv4 address, or an IPv6 address in brackets; then perhaps a port. Nothing that could end a quoted string, or lead elsewhere. */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
const LOOPBACK = /^(?:localhost|127\.[\d.]+|\[::1\])(?::|$)/i;
/** The characters of a quoted string that need no backslash. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Returns `undefined` if the request does not say by which name it came. */
export function loginChallenge(
  head: RequestHead,
  scope: string | undefined,
  { service, neighbours }: ChallengeOptions,
): string | undefined {
  const isBehindProxy = isProxied(head);
  const origin = isBehindProxy ? originAtProxy(head, neighbours) : ownOrigin(head);
  if (origin === undefined) return isBehindProxy ? BASIC_CHALLENGE : undefined;
  const wanted = scope === undefined ? '' : withHost(scope, head.url);
  const challenge = `Bearer realm="${origin}${TOKEN_PATH}",service="${service}"`;
  return wanted !== '' && PLAIN.test(wanted) ? `${challenge},scope="${wanted}"` : challenge;
}

/** Whether a text can stand in a challenge. */
export function isServiceName(text: string): boolean {
  return text !== '' && PLAIN.test(text);
}

function ownOrigin({ headers, isSecure }: RequestHead): string | undefined {
  // HTTP/2 has `:authority` instead of Host.
  const host = headers.host ?? headers[':authority'];
  return typeof host === 'string' && HOST.test(host) ? `${isSecure ? 'https' : 'http'}://${host}` : undefined;
}

/**
 * What a proxy on this machine, or in its containers, says is believed without being told so: it comes back to nobody but its own client. One that says how it was
 * asked, but not by which name, is set up to hand on the Host, unless that is what it calls this registry itself.
 */
function originAtProxy({ address, headers }: RequestHead, neighbours: Neighbours): string | undefined {
  if (!neighbours.isNear(address) && !neighbours.isTrustedProxy(address)) return undefined;
  const handedOn = headers.host === undefined || LOOPBACK.test(headers.host) ? '' : headers.host;
  const host = lastOf(headers['x-forwarded-host']) ?? handedOn;
  const scheme = lastOf(headers['x-forwarded-proto'])?.toLowerCase();
  return (scheme === 'http' || scheme === 'https') && HOST.test(host) ? `${scheme}://${host}` : undefined;
}

/** The last one is from the nearest proxy; those before may be from anybody. */
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
