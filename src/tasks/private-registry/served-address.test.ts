import { networkInterfaces } from 'node:os';
import { expect, it } from 'vitest';
import { servedAt } from './served-address.ts';

const at = (hosts: readonly string[], hostname: string) =>
  servedAt(
    hosts.map((host) => ({ host, port: 5000 })),
    { hostname, port: 5000 },
  )?.host;
const others = Object.values(networkInterfaces()).flatMap((all = []) => all);
const outside = others.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

it('a server is at its own addresses and its port', () => {
  expect(at(['10.9.9.9', '127.0.0.1'], '127.0.0.1')).toBe('127.0.0.1');
  expect(at(['10.9.9.9'], '127.0.0.1')).toBeUndefined();
  expect(servedAt([{ host: '127.0.0.1', port: 5000 }], { hostname: '127.0.0.1', port: 5001 })).toBeUndefined();
});

it('a server on all addresses is at those of its family, and of this machine', () => {
  expect(at(['0.0.0.0'], '127.0.0.1')).toBe('0.0.0.0');
  expect(at(['0.0.0.0'], '::1')).toBeUndefined();
  expect(at(['0.0.0.0'], '192.0.2.1')).toBeUndefined();
  expect(at(['::'], '::1')).toBe('::');
  expect(at(['::'], '127.0.0.1')).toBe('::');
  if (outside !== undefined) expect(at(['0.0.0.0'], outside)).toBe('0.0.0.0');
});

it('a server on `::` leaves IPv4 to others if it listens on one of these addresses, too', () => {
  expect(at(['127.0.0.1', '::'], '127.0.0.2')).toBeUndefined();
  expect(at(['127.0.0.1', '::'], '127.0.0.1')).toBe('127.0.0.1');
});

it('a name is none of its addresses; `localhost` only where both of it are', () => {
  expect(at(['127.0.0.1'], 'registry.example')).toBeUndefined();
  expect(at(['127.0.0.1'], 'localhost')).toBeUndefined();
  expect(at(['0.0.0.0'], 'localhost')).toBeUndefined();
  expect(at(['127.0.0.1', '::1'], 'localhost')).toBe('127.0.0.1');
  expect(at(['::'], 'localhost')).toBe('::');
});
