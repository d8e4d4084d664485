// How far an IP address reaches: this machine, its link, a cloud's metadata service, a private network, or the world. An IPv6 address that embeds an IPv4
// address counts as that one.
import type { BlockList } from 'node:net';
import { nodeNet } from './node-http.ts';

/** The narrowest first. `local-nat64`: through a NAT64 translator of the local network. Functions return `undefined` for an address that reaches the world. */
export type Reach = 'loopback' | 'link-local' | 'metadata' | 'private' | 'local-nat64';

type Subnet = readonly [address: string, prefix: number];

const RANGES: Readonly<Record<Reach, readonly Subnet[]>> = {
  /** Includes the unspecified addresses, which lead to this machine too. */
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
  /** Metadata services at addresses other than 169.254.169.254: of AWS, Google, Alibaba, Oracle and Azure. */
  metadata: [
    ['fd00:ec2::', 32],
    ['fd20:ce::', 32],
    ['100.100.100.200', 32],
    ['192.0.0.192', 32],
    ['168.63.129.16', 32],
  ],
  /** RFC 1918, RFC 6598, RFC 4193, and the deprecated site-local addresses, which RFC 4193 replaced. */
  private: [
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['100.64.0.0', 10],
    ['fc00::', 7],
    ['fec0::', 10],
  ],
  /** The prefix of RFC 8215. */
  'local-nat64': [['64:ff9b:1::', 48]],
};
const NARROWEST_FIRST = ['loopback', 'link-local', 'metadata', 'private', 'local-nat64'] as const;

/** The reach of an address to which an answer wants to lead: the narrowest of the address itself and of those that it embeds. */
export function reachOf(address: string): Reach | undefined {
  const all = [address, ...standsFor(address)].map(ownReach);
  return NARROWEST_FIRST.find((reach) => all.includes(reach));
}

/**
 * The reach of an address from which an answer came. Here an embedded address counts only if the connection really went to it (mapped addresses), or if no
 * outsider can have it (behind a local NAT64 translator). Others do not count: a stranger can choose the address from which it answers.
 */
export function reachMet(address: string): Reach | undefined {
  const own = ownReach(address);
  if (own !== 'local-nat64') return own;
  return standsFor(address).every((each) => ownReach(each) === 'private') ? 'private' : own;
}

/** The address without its IPv6 zone. */
export function bareAddress(address: string): string {
  return address.split('%', 1)[0] ?? '';
}

const blocks = new Map<Reach, BlockList>();

/** The reach of the address itself, without embedded ones. BlockList unwraps mapped addresses. */
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

/** The IPv4 addresses that an IPv6 address embeds: compatible, translated (SIIT), NAT64, 6to4, Teredo. */
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

/** The eight 16-bit groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] | undefined {
  if (!nodeNet().isIPv6(address)) return undefined;
  const written = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? '';
  const [before = [], after] = written.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const filled = after ? [...before, ...Array(8 - before.length - after.length).fill('0'), ...after] : before;
  return filled.map((group) => Number.parseInt(group, 16));
}
