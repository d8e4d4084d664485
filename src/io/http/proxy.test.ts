import { describe, expect, it } from 'vitest';
import { proxyFor, proxySettings } from './proxy.ts';

const proxied = proxySettings({ http_proxy: 'http://plain:3128', https_proxy: 'http://secure:3129' });

describe('the proxy variables', () => {
  it('count in small letters before capitals', () => {
    expect(proxySettings({ HTTPS_PROXY: 'http://a', https_proxy: 'http://b', NO_PROXY: 'x' })).toEqual({
      https: 'http://b',
      noProxy: 'x',
    });
    expect(proxySettings({ all_proxy: 'http://a', http_proxy: 'http://b' })).toEqual({
      http: 'http://b',
      https: 'http://a',
    });
    expect(proxySettings({ http_proxy: '' })).toEqual({});
  });

  it('choose a proxy by scheme', () => {
    expect(proxyFor(proxied, 'quay.io', true)).toEqual({ secure: false, hostname: 'secure', port: 3129 });
    expect(proxyFor(proxied, 'quay.io', false)?.hostname).toBe('plain');
    expect(proxyFor({}, 'quay.io', true)).toBeUndefined();
  });

  it('never send loopback through a proxy', () => {
    for (const host of ['localhost:5000', '127.0.0.1:5000', '[::1]:5000']) {
      expect(proxyFor(proxied, host, false)).toBeUndefined();
    }
  });

  it('may hold addresses without a scheme, and with user and password', () => {
    expect(proxyFor({ https: 'proxy:3128' }, 'quay.io', true)).toMatchObject({ hostname: 'proxy', port: 3128 });
    const secret = proxyFor({ https: 'https://me:p%40ss@[fd00::1]' }, 'quay.io', true);
    expect(secret).toEqual({
      secure: true,
      hostname: 'fd00::1',
      port: 443,
      authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
    });
  });

  it('names the variable that is wrong, and not its value', () => {
    expect(() => proxyFor({ https: 'socks5://me:secret@x' }, 'quay.io', true)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringContaining('secret') }),
    );
  });

  it.each([
    ['*', 'quay.io', true],
    ['quay.io', 'quay.io', true],
    ['quay.io', 'cdn.quay.io', true],
    ['quay.io', 'notquay.io', false],
    ['.quay.io', 'quay.io', false],
    ['.quay.io', 'cdn.quay.io', true],
    ['*.quay.io', 'cdn.quay.io', true],
    ['a, QUAY.io', 'quay.IO', true],
    ['quay.io:8443', 'quay.io', false],
    ['quay.io:443', 'quay.io', true],
    ['10.0.0.0/8', '10.1.2.3:5000', true],
    ['10.0.0.0/8', '11.1.2.3:5000', false],
    ['10.1.2.3', '10.1.2.3:5000', true],
    ['fd00::/8', '[fd00::1]:5000', true],
    ['fd00::1', '[fd00::1]:5000', true],
    ['[fd00::1]:5000', '[fd00::1]:5000', true],
    ['10.0.0.0/99', '10.1.2.3', false],
    ['', 'quay.io', false],
  ])('with no_proxy %j goes past the proxy to %j: %j', (noProxy, host, exempt) => {
    expect(proxyFor({ https: 'http://proxy', noProxy }, host, true) === undefined).toBe(exempt);
  });
});
