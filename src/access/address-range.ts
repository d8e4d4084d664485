// Ranges of addresses in CIDR notation (RFC 4632, RFC 4291 section 2.3). Relies on node:net.
import { BlockList, isIP } from 'node:net';
import { ImagesError } from '../oci/errors.ts';

export interface AddressRange {
  readonly text: string;
  /** `address` as plainAddress gives it. */
  has(address: string): boolean;
}

/** `10.0.0.0/8`, `fd00::/8`, or a single address. Errors: USAGE. */
export function parseAddressRange(text: string): AddressRange {
  const [, network = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(network);
  const most = family === 4 ? 32 : 128;
  const bits = length === undefined ? most : Number(length);
  if (family === 0 || bits > most || network.includes('%')) {
    throw new ImagesError('USAGE', `not a range of addresses [${text}]`, {
      hint: 'Write it as 192.168.0.0/24, fd00::/8, or as one address.',
    });
  }
  if (length === undefined && (network === '0.0.0.0' || /^[0:]+$/.test(network))) {
    throw new ImagesError('USAGE', `no client has this address [${text}]`, {
      hint: 'All addresses are 0.0.0.0/0 and ::/0.',
    });
  }
  // Addresses are compared as IPv4 if they are mapped ones, so ranges of these are, too: one that matches nothing would forbid nothing.
  const plain = plainAddress(network);
  const isMapped = family === 6 && isIP(plain) === 4 && bits >= MAPPED_BITS;
  const kind = family === 4 || isMapped ? 'ipv4' : 'ipv6';
  const range = new BlockList();
  if (isMapped) range.addSubnet(plain, bits - MAPPED_BITS, kind);
  else range.addSubnet(network, bits, kind);
  return { text, has: (address) => isIP(address) === (kind === 'ipv4' ? 4 : 6) && range.check(address, kind) };
}

/** Those before the IPv4 address in an IPv4-mapped one. */
const MAPPED_BITS = 96;

/** An address without its zone, and as IPv4 if it is an IPv4-mapped one (RFC 4291, section 2.5.5.2), in whatever spelling. */
export function plainAddress(address: string): string {
  const [plain = ''] = address.split('%');
  if (!plain.includes(':') || isIP(plain) !== 6) return plain;
  // The URL parser gives each address its one spelling, with the last four bytes in hexadecimal.
  const [, high, low] = MAPPED.exec(new URL(`http://[${plain}]`).hostname) ?? [];
  if (high === undefined || low === undefined) return plain;
  const bytes = [high, low].flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
  return bytes.join('.');
}

const MAPPED = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/;
