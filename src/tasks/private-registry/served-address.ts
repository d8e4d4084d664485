// Whether a server that listens on some addresses is what answers at another one, on this machine. Names are not resolved: they may lead elsewhere.
import { isIPv4, isIPv6 } from 'node:net';
import { isOwnAddress, isUnspecified } from '../../nodes/addresses.ts';
import type { BoundAddress } from '../../server/address.ts';
import { ownInterfaces } from './own-interfaces.ts';

export interface ServedAddress {
  /** Without brackets. */
  readonly hostname: string;
  readonly port: number;
}

/** The address that is listened on; `undefined` if another server may answer there. */
export function servedAt(
  addresses: readonly BoundAddress[],
  { hostname, port }: ServedAddress,
): BoundAddress | undefined {
  const there = addresses.filter((listening) => listening.port === port);
  // Clients may take either address for this name.
  if (hostname === 'localhost') return answeringAt(there, '::1') && answeringAt(there, '127.0.0.1');
  return answeringAt(there, hostname);
}

function answeringAt(there: readonly BoundAddress[], hostname: string): BoundAddress | undefined {
  const named = there.find(({ host }) => host === hostname);
  if (named) return named;
  if (!(isIPv4(hostname) || isIPv6(hostname)) || !isOwnAddress(hostname, ownInterfaces())) return undefined;
  const ofFamily = there.find(({ host }) => isUnspecified(host) && isIPv6(host) === isIPv6(hostname));
  if (ofFamily || isIPv6(hostname)) return ofFamily;
  // `::` has the IPv4 addresses too, unless one of them is listened on beside it (server/listen.ts).
  return there.some(({ host }) => isIPv4(host)) ? undefined : there.find(({ host }) => isUnspecified(host));
}
