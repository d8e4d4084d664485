// IP addresses in the one spelling that goes into certificates, and networks without host bits (RFC 5280, section 4.2.1.10). Pure.
import { isIP } from 'node:net';

function addressOctets(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number));
  // A dotted end (::ffff:10.0.0.1) is two groups.
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = new Array<string>(tail === undefined ? 0 : 8 - before.length - after.length).fill('0');
  return Uint8Array.from(
    [...before, ...missing, ...after].flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }),
  );
}

/** One spelling for each address: IPv6 in its long form. */
export function plainAddressText(address: string): string {
  return addressText(addressOctets(address));
}

/** `range` has a length: `10.0.0.0/8`. Without the bits of the address that are beyond it. */
export function networkOf(range: string): string {
  const [address = '', length] = range.split('/');
  const bits = Number(length);
  const octets = addressOctets(address).map((octet, at) => octet & ~(0xff >> Math.max(0, Math.min(8, bits - at * 8))));
  return `${addressText(octets)}/${bits}`;
}

function addressText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  const groups = Array.from({ length: 8 }, (_, at) => (octets[2 * at] ?? 0) * 256 + (octets[2 * at + 1] ?? 0));
  return groups.map((group) => group.toString(16)).join(':');
}
