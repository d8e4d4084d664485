// The address of who asks. Behind a proxy all requests come from one address, often this machine's, which may do more than others.
import { isIP } from 'node:net';
import { plainAddress } from './address-range.ts';
import type { RequestHead } from './contract.ts';

/** Kinds of addresses, as they are now. */
export interface Neighbours {
  /** This machine's own. */
  isLocal(address: string): boolean;
  /** Those that may do more than others unless somebody says otherwise: this machine's, and those of its VMs and containers. */
  isNear(address: string): boolean;
  /** Proxies that somebody named: they set X-Forwarded-For, and what it says is believed. */
  isTrustedProxy(address: string): boolean;
  /** Told of each address from which proxied requests come whose client is not known; often of the same one. */
  onUnknownClient?(proxy: string): void;
}

/** What proxies add. One that adds nothing is seen by its HTTP/1.0, which nginx speaks if it was not told otherwise, and which no client of registries speaks. */
const SIGNS = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-real-ip',
  'forwarded',
  'via',
] as const;
const UNKNOWN = 'proxy:';

export function isProxied({ headers, httpVersion }: Pick<RequestHead, 'headers' | 'httpVersion'>): boolean {
  return httpVersion === '1.0' || SIGNS.some((name) => headers[name] !== undefined);
}

/** Of a client behind the proxy at this address. It matches no range. */
export function unknownClient(proxy: string): string {
  return `${UNKNOWN}${proxy}`;
}

export function isUnknownClient(address: string): boolean {
  return address.startsWith(UNKNOWN);
}

/**
 * A proxied request has the rights of the proxy's address only if that is neither this machine's nor a VM's: those are given to everybody who has them, unasked.
 * Of a trusted proxy, the last address in X-Forwarded-For that is no trusted proxy's counts, because who stands before it can write anything. Nobody behind a
 * proxy is this machine: what says so may have come from anywhere.
 */
export function askerAddress(
  head: Pick<RequestHead, 'address' | 'headers' | 'httpVersion'>,
  neighbours: Neighbours,
): string {
  const { address, headers } = head;
  if (!isProxied(head)) return address;
  const isTrusted = neighbours.isTrustedProxy(address);
  if (!isTrusted && !neighbours.isNear(address)) return address;
  const client = isTrusted ? clientOf(headers, neighbours) : undefined;
  if (client !== undefined && !neighbours.isLocal(client)) return client;
  if (client === undefined) neighbours.onUnknownClient?.(address);
  return unknownClient(address);
}

function clientOf(headers: RequestHead['headers'], { isTrustedProxy }: Neighbours): string | undefined {
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',');
  if (forwarded === '') return undefined;
  let client: string | undefined;
  for (const text of forwarded.split(',').reverse()) {
    const address = plainAddress(withoutPort(text.trim()));
    if (isIP(address) === 0) return undefined;
    client = address;
    if (!isTrustedProxy(address)) return client;
  }
  return client;
}

/** Some proxies write ports: `1.2.3.4:5678`, `[::1]:80`. IPv6 without brackets has none. */
function withoutPort(text: string): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/.exec(text) ?? [];
  return bracketed ?? dotted ?? text;
}
