import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRegistryAddress } from './local-registry.ts';

const hostOf = (text: string) => parseRegistryAddress(text).host;

describe('$LOCAL_REGISTRY', () => {
  it('is a host, with a port or without', () => {
    expect(parseRegistryAddress('registry.local')).toEqual({
      secure: false,
      hostname: 'registry.local',
      port: 80,
      host: 'registry.local',
    });
    expect(parseRegistryAddress('localhost:5000')).toMatchObject({ hostname: 'localhost', port: 5000 });
  });

  it('is an address of either family: a colon alone does not make it IPv6', () => {
    expect(hostOf('172.17.0.2')).toBe('172.17.0.2');
    expect(hostOf('172.17.0.2:5000')).toBe('172.17.0.2:5000');
    expect(parseRegistryAddress('fd00::1')).toMatchObject({ hostname: 'fd00::1', port: 80, host: '[fd00::1]' });
    expect(parseRegistryAddress('[fd00::1]:5000')).toMatchObject({ hostname: 'fd00::1', host: '[fd00::1]:5000' });
    expect(hostOf('[fd00::1]')).toBe('[fd00::1]');
  });

  it('may say the scheme', () => {
    expect(parseRegistryAddress('https://r.io')).toMatchObject({ secure: true, port: 443, host: 'r.io' });
    expect(parseRegistryAddress('http://r.io:5000/')).toMatchObject({ secure: false, host: 'r.io:5000' });
    expect(hostOf('https://fd00::1')).toBe('[fd00::1]');
    expect(hostOf('https://r.io:443')).toBe('r.io');
    expect(hostOf('http://r.io:443')).toBe('r.io:443');
  });

  it.each(['a:b:c', 'host:0', 'host:99999', 'host:x', '[::1', '::g', 'a b', 'ftp://x', '[host]:80', 'host/path', ''])(
    'is not %j',
    (text) => {
      expect(() => parseRegistryAddress(text)).toThrow(/LOCAL_REGISTRY is not the address/);
    },
  );

  it('comes back from its own form', () => {
    const host = fc.oneof(
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.domain(),
    );
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65535 }), fc.boolean(), (name, port, secure) => {
        const parsed = parseRegistryAddress(`${secure ? 'https' : 'http'}://${name}:${port}`);
        expect(parsed.port).toBe(port);
        expect(parseRegistryAddress(`${secure ? 'https' : 'http'}://${parsed.host}`)).toEqual(parsed);
      }),
    );
  });
});
