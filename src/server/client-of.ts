// Who counts as one client of the server.
import { isIPv4, isIPv6, type Socket } from 'node:net';

/** What counts as one client: an IPv4 address, or an IPv6 network of 64 bits, because every IPv6 user has a whole one. */
export function clientOf({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string {
  const plain = remoteAddress.replace(/^::ffff:/i, '');
  if (isIPv4(plain) || !isIPv6(plain)) return plain;
  const [head = '', tail] = (plain.split('%')[0] ?? '').split('::');
  const before = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - before.length - (tail === '' ? 0 : tail.split(':').length);
  const groups = [...before, ...new Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':')];
  return groups.slice(0, 4).join(':');
}
