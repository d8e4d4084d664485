// Where an answer may lead (redirects, Locations, realms): to no loopback or link-local address, unless it came from there. What a user names may be anywhere.
import type { LookupAddress } from 'node:dns';
import type { BlockList, LookupFunction } from 'node:net';
import { ImagesError } from '../oci/errors.ts';
import { type HttpUrl, hostAndPort, type Leader } from './http-url.ts';
import { nodeDns, nodeNet } from './node-http.ts';

type Reach = 'loopback' | 'link-local';

/** The unspecified addresses lead to this machine too; the last one is a cloud's own, as 169.254.169.254 is. */
const RANGES: Readonly<Record<Reach, readonly (readonly [address: string, prefix: number])[]>> = {
  loopback: [
    ['127.0.0.0', 8],
    ['0.0.0.0', 8],
    ['::1', 128],
    ['::', 128],
  ],
  'link-local': [
    ['169.254.0.0', 16],
    ['fe80::', 10],
    ['fd00:ec2::', 32],
  ],
};

const blocks = new Map<Reach, BlockList>();

/** Refuses what can be told from the address itself: an IP address, or a name of this machine. Errors: BAD_ANSWER. */
export function refuseLeading({ host, ledBy }: HttpUrl): void {
  if (!ledBy) return;
  const { hostname } = hostAndPort(host, false);
  if (nodeNet().isIP(hostname) === 0) {
    if (/(?:^|\.)localhost\.?$/.test(hostname) && !mayLead(ledBy, '127.0.0.1'))
      throw refusal(ledBy, hostname, 'loopback');
  } else if (!mayLead(ledBy, hostname)) {
    throw refusal(ledBy, hostname, reachOf(hostname));
  }
}

/** Resolves names as always, and leaves out where the leader may not lead: asked for when a connection is made, so that no second answer of DNS slips in. */
export function lookupLedBy(ledBy: Leader): LookupFunction {
  return (hostname, options, callback) => {
    nodeDns().lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '');
      const allowed = found.filter(({ address }) => mayLead(ledBy, address));
      const [first] = allowed;
      if (!first) return callback(refusal(ledBy, hostname, reachOf(found[0]?.address ?? '')), '');
      if (options.all) return callback(null, allowed as LookupAddress[]);
      return callback(null, first.address, first.family);
    });
  };
}

/** What connections may be shared by: those that may lead to the same addresses. */
export function leaderKind({ at }: Leader): string {
  return (at !== undefined && reachOf(at) && bare(at)) || 'elsewhere';
}

function mayLead({ at }: Leader, address: string): boolean {
  const reach = reachOf(address);
  if (reach === undefined) return true;
  if (at === undefined || reachOf(at) !== reach) return false;
  return reach === 'loopback' || bare(at) === bare(address);
}

function reachOf(address: string): Reach | undefined {
  const plain = bare(address);
  const type = nodeNet().isIPv6(plain) ? 'ipv6' : 'ipv4';
  return (['loopback', 'link-local'] as const).find((reach) => blockOf(reach).check(plain, type));
}

/** With the addresses of IPv6 that stand for one of IPv4: mapped (the list knows these itself), compatible, NAT64, 6to4. */
function blockOf(reach: Reach): BlockList {
  const known = blocks.get(reach);
  if (known) return known;
  const block = new (nodeNet().BlockList)();
  for (const [address, prefix] of RANGES[reach]) {
    if (address.includes(':')) {
      block.addSubnet(address, prefix, 'ipv6');
      continue;
    }
    block.addSubnet(address, prefix, 'ipv4');
    const [a = 0, b = 0] = address.split('.').map(Number);
    for (const before of ['::', '64:ff9b::']) block.addSubnet(`${before}${address}`, 96 + prefix, 'ipv6');
    block.addSubnet(`2002:${((a << 8) | b).toString(16)}::`, 16 + prefix, 'ipv6');
  }
  blocks.set(reach, block);
  return block;
}

/** Without the zone. */
function bare(address: string): string {
  return address.replace(/%.*$/, '');
}

function refusal({ host }: Leader, to: string, reach: Reach | undefined): ImagesError {
  return new ImagesError('BAD_ANSWER', `${host} leads to a ${reach} address [${to}]`, {
    hint: 'Another host may not lead to this machine or its link. If the place is meant, name it yourself.',
  });
}
