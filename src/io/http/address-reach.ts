// How far an IP address leads: to this machine, its link, what a cloud keeps for its machines, a private network, or anywhere. Addresses of IPv6 that stand for one of IPv4 count as that.
import type { BlockList } from 'node:net';
import { nodeNet } from './node-http.ts';

/** The narrowest first. `local-nat64`: to somewhere, by a translator of the own network. `undefined` in what returns it: to the whole world. */
export type Reach = 'loopback' | 'link-local' | 'metadata' | 'private' | 'local-nat64';

type Subnet = readonly [address: string, prefix: number];

const RANGES: Readonly<Record<Reach, readonly Subnet[]>> = {
  /** The unspecified addresses lead to this machine too. */
  loopback: [
    ['127.0.0.0', 8],
    ['0.0.0.0', 8],
    ['::1', 128],
    ['::', 128],
  ],
  'link-local': [
    ['169.254.0.0', 16],
    ['fe80::', 10],
  ],
  /** What 169.254.169.254 is in most clouds, at the other addresses where they have it: AWS, Google, Alibaba, Oracle, Azure. */
  metadata: [
    ['fd00:ec2::', 32],
    ['fd20:ce::', 32],
    ['100.100.100.200', 32],
    ['192.0.0.192', 32],
    ['168.63.129.16', 32],
  ],
  /** RFC 1918, RFC 6598, RFC 4193, and the site-local addresses that these have replaced. */
  private: [
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['100.64.0.0', 10],
    ['fc00::', 7],
    ['fec0::', 10],
  ],
  /** RFC 8215. */
  'local-nat64': [['64:ff9b:1::', 48]],
};
const NARROWEST_FIRST = ['loopback', 'link-local', 'metadata', 'private', 'local-nat64'] as const;

/** The reach of an address that somebody wants to lead to: of all that it may stand for, the narrowest. */
export function reachOf(address: string): Reach | undefined {
  const all = [address, ...standsFor(address)].map(ownReach);
  return NARROWEST_FIRST.find((reach) => all.includes(reach));
}

/**
 * The reach of an address at which somebody was met. What stands for another address counts only where that address itself was met (mapped), or
 * cannot be anybody's outside (behind a translator of the own network): to be met elsewhere is what a stranger can choose.
 */
export function reachMet(address: string): Reach | undefined {
  const own = ownReach(address);
  if (own !== 'local-nat64') return own;
  return standsFor(address).every((each) => ownReach(each) === 'private') ? 'private' : own;
}

/** Without the zone. */
export function bareAddress(address: string): string {
  return address.split('%', 1)[0] ?? '';
}

const blocks = new Map<Reach, BlockList>();

/** Of the address as it is written; BlockList knows mapped addresses itself. */
function ownReach(address: string): Reach | undefined {
  const plain = bareAddress(address);
  const type = nodeNet().isIPv6(plain) ? 'ipv6' : 'ipv4';
  return NARROWEST_FIRST.find((reach) => blockOf(reach).check(plain, type));
}

function blockOf(reach: Reach): BlockList {
  const known = blocks.get(reach);
  if (known) return known;
  const block = new (nodeNet().BlockList)();
  for (const [address, prefix] of RANGES[reach])
    block.addSubnet(address, prefix, address.includes(':') ? 'ipv6' : 'ipv4');
  blocks.set(reach, block);
  return block;
}

/** The addresses of IPv4 that one of IPv6 stands for: compatible, translated (SIIT), NAT64, 6to4, Teredo. */
function standsFor(address: string): readonly string[] {
  const groups = groupsOf(bareAddress(address));
  if (!groups) return [];
  const [a, b, c, d, e, f] = groups;
  const at = (index: number, flip = 0) => dotted((groups[index] ?? 0) ^ flip, (groups[index + 1] ?? 0) ^ flip);
  if (a === 0x2002) return [at(1)];
  if (a === 0x2001 && b === 0) return [at(2), at(6, 0xffff)];
  const isNat64 = a === 0x64 && b === 0xff9b && (c === 1 || [c, d, e, f].every((group) => group === 0));
  const isZero = [a, b, c, d].every((group) => group === 0);
  const isEmbedded = isZero && ((e === 0 && f === 0) || (e === 0 && f === 0xffff) || (e === 0xffff && f === 0));
  return isNat64 || isEmbedded ? [at(6)] : [];
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight numbers of an address of IPv6. */
function groupsOf(address: string): readonly number[] | undefined {
  if (!nodeNet().isIPv6(address)) return undefined;
  const written = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? '';
  const [before = [], after] = written.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const filled = after ? [...before, ...Array(8 - before.length - after.length).fill('0'), ...after] : before;
  return filled.map((group) => Number.parseInt(group, 16));
}
