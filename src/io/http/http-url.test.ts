import { describe, expect, it } from 'vitest';
import {
  describeHttpUrl,
  hostAndPort,
  isLoopbackHost,
  parseHttpUrl,
  resolveHttpUrl,
  sameOrigin,
  tryParseHttpUrl,
  withQuery,
} from './http-url.ts';

const base = parseHttpUrl('https://quay.io:443/v2/a/b?c=d');

describe('addresses of requests', () => {
  it('are read with host, port and path', () => {
    expect(base).toEqual({ secure: true, host: 'quay.io', path: '/v2/a/b?c=d' });
    expect(parseHttpUrl('http://user:secret@[FD00::1]:5000')).toEqual({
      secure: false,
      host: '[fd00::1]:5000',
      path: '/',
    });
    expect(parseHttpUrl('http://[fe80::1%25eth0]:80/x').host).toBe('[fe80::1%25eth0]');
  });

  it.each([
    'ftp://x/',
    'quay.io',
    'http://',
    'http://:0/',
    'http://:80/',
    'http://x:0/',
    'http://x:65536/',
    'http://x:8o/',
    'http://[::::1]/',
    'http://[fd00::1/',
    'http://a b/',
    'http://a\r\nb/',
    'http://u:secret@/',
    '//x/y',
    '::',
    '',
  ])('are not %j; the error does not repeat it, since it may hold a password', (wrong) => {
    expect(() => parseHttpUrl(wrong)).toThrow(/^not an http address$/);
    expect(tryParseHttpUrl(wrong)).toBeUndefined();
  });

  it('are encoded where a request line needs it, and otherwise stay as they were signed', () => {
    expect(parseHttpUrl('http://a:b@x/token%0d%0aX: y\r\n?ä').path).toBe('/token%0d%0aX:%20y%0D%0A?%C3%A4');
    expect(parseHttpUrl('http://x/a%2Fb/../c?X-Amz-Signature=a%2Bb|c').path).toBe(
      '/a%2Fb/../c?X-Amz-Signature=a%2Bb|c',
    );
    expect(parseHttpUrl('http://x/\ud800 %25').path).toBe('/%EF%BF%BD%20%25');
  });

  it.each([
    ['2130706433', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['017700000001', '127.0.0.1'],
    ['127.1:5000', '127.0.0.1:5000'],
    ['0', '0.0.0.0'],
    ['[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]'],
    ['[0:0:0:0:0:0:0:1]:5000', '[::1]:5000'],
    ['%31%32%37.0.0.1', '127.0.0.1'],
    ['１２７.0.0.1', '127.0.0.1'],
    ['Bücher.example', 'xn--bcher-kva.example'],
    ['my_registry:5000', 'my_registry:5000'],
    ['quay.io.:443', 'quay.io.:443'],
    ['quay.io:', 'quay.io'],
    ['999.1.1.1', '999.1.1.1'],
  ])('with the host %s lead to %s', (written, host) => {
    expect(parseHttpUrl(`http://${written}/`).host).toBe(host);
  });

  it.each([
    ['/x?y', 'https://quay.io/x?y'],
    ['x', 'https://quay.io/v2/a/x'],
    ['?next', 'https://quay.io/v2/a/b?next'],
    ['https://QUAY.io:443/x', 'https://quay.io/x'],
    ['http://quay.io/x', 'https://quay.io/x'],
  ])('redirect to %j at the same host, whatever scheme that host names', (location, expected) => {
    expect(resolveHttpUrl(base, location)).toEqual(parseHttpUrl(expected));
  });

  it.each([
    ['//cdn.example/x', 'https://cdn.example/x'],
    ['http://cdn.example:80/x', 'http://cdn.example/x'],
    ['http://quay.io:8080/x', 'http://quay.io:8080/x'],
  ])('that redirect to %j at another host remember who redirected', (location, expected) => {
    const from = { ...base, at: '203.0.113.7' };
    const ledBy = { host: 'quay.io', at: '203.0.113.7' };
    expect(resolveHttpUrl(from, location)).toEqual({ ...parseHttpUrl(expected), ledBy });
    expect(resolveHttpUrl(resolveHttpUrl(from, location), '/y').ledBy).toEqual(ledBy);
  });

  it('redirect to http and https only', () => {
    for (const location of [
      'ftp://x/y',
      'javascript:x',
      'file:///etc/passwd',
      'http://',
      '//',
      'http://x:70000/',
      '//x:70000/',
    ]) {
      expect(() => resolveHttpUrl(base, location)).toThrow('no http address');
    }
  });

  it('keep an IPv6 zone in redirects', () => {
    const zoned = parseHttpUrl('http://[fe80::1%25eth0]:5000/v2/');
    expect(resolveHttpUrl(zoned, '/upload/1')).toEqual({ ...zoned, path: '/upload/1' });
  });

  it('differ in origin by scheme, host or port', () => {
    expect(sameOrigin(base, parseHttpUrl('https://QUAY.io/other'))).toBe(true);
    for (const other of ['http://quay.io/', 'https://quay.io:8443/', 'https://cdn.quay.io/']) {
      expect(sameOrigin(base, parseHttpUrl(other))).toBe(false);
    }
  });

  it('are described without their query, which can be a signature', () => {
    expect(describeHttpUrl(parseHttpUrl('https://s3.example/x?X-Amz-Signature=abc'))).toBe('https://s3.example/x');
  });

  it('can be given more parameters', () => {
    expect(withQuery(base, { digest: 'sha256:ab', none: undefined, s: 'a b' }).path).toBe(
      '/v2/a/b?c=d&digest=sha256:ab&s=a%20b',
    );
  });
});

describe('hosts', () => {
  it('are split into what sockets need', () => {
    expect(hostAndPort('quay.io', true)).toEqual({ hostname: 'quay.io', port: 443 });
    expect(hostAndPort('[fd00::1]:5000', false)).toEqual({ hostname: 'fd00::1', port: 5000 });
    expect(hostAndPort('[fe80::1%25eth0]', false)).toEqual({ hostname: 'fe80::1%eth0', port: 80 });
  });

  it('count as loopback by name and address only', () => {
    for (const host of ['localhost', 'localhost:5000', '127.0.0.1:5000', '127.1.2.3', '[::1]:5000']) {
      expect(isLoopbackHost(host)).toBe(true);
    }
    for (const host of ['127.0.0.1.example.com', 'localhost.example.com', '10.0.0.1', '[fd00::1]', '128.0.0.1']) {
      expect(isLoopbackHost(host)).toBe(false);
    }
  });
});
