// Addresses to listen on.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatListenAddress, listenUrl, parseListenAddress } from './address.ts';

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1:5000', { host: '127.0.0.1', port: 5000 }],
    [':80', { port: 80 }],
    ['5000', { port: 5000 }],
    ['[::]:5000', { host: '::', port: 5000 }],
    ['[fd00::1]:0', { host: 'fd00::1', port: 0 }],
    ['localhost:5000', { host: 'localhost', port: 5000 }],
    ['registry.example.org:443', { host: 'registry.example.org', port: 443 }],
    ['https://:5443', { port: 5443, tls: true }],
    ['HTTPS://[::1]:0', { host: '::1', port: 0, tls: true }],
  ])('%s', (text, expected) => {
    expect(parseListenAddress(text)).toEqual(expected);
  });

  it.each([
    '',
    'localhost',
    '::1',
    '127.0.0.1',
    ':65536',
    '[::1]',
    '[nope]:1',
    '256.1.1.1:1',
    '1.2.3:5',
    'a b:1',
    '-x:1',
    'http://a:1',
    'https://a',
    'https://https://a:1',
    'https://a:1/',
  ])('[%s] is refused with a hint', (text) => {
    expect(() => parseListenAddress(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', hint: expect.stringContaining('ADDR:PORT') }),
    );
  });

  it('has a URL', () => {
    expect(listenUrl({ host: '::1', port: 80 })).toBe('http://[::1]:80');
    expect(listenUrl({ host: 'a', port: 443, tls: true })).toBe('https://a:443');
  });

  it('is written as it is read', () => {
    const address = fc.record(
      {
        host: fc.oneof(fc.ipV4(), fc.ipV6()),
        port: fc.integer({ min: 0, max: 65_535 }),
        tls: fc.constant(true),
      },
      { requiredKeys: ['host', 'port'] },
    );
    fc.assert(
      fc.property(address, (given) => {
        expect(parseListenAddress(formatListenAddress(given))).toEqual(given);
      }),
    );
  });
});
