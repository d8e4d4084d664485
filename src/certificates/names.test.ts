// Which names a certificate can have, and which a CA permits.
import { describe, expect, it } from 'vitest';
import { isPermitted, parseNameConstraints } from './name-constraints.ts';
import { certificateName, hostName } from './names.ts';

describe('a name of a certificate', () => {
  it.each(['localhost', 'registry.lan', 'a-b.c1.example', 'xn--bcher-kva.example', `${'a'.repeat(63)}.b`])(
    'is %s',
    (name) => {
      expect(certificateName(name)).toEqual({ kind: 'dns', name });
      expect(certificateName(name.toUpperCase())).toEqual({ kind: 'dns', name });
    },
  );

  it.each(['10.0.0.1', '::1', 'fd00::a'])('is the address %s, which is no host name', (address) => {
    expect(certificateName(address)).toEqual({ kind: 'ip', address });
    expect(hostName(address)).toBeUndefined();
  });

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '*',
    '*.lan',
    '-a',
    'a-',
    'a_b',
    'a/b',
    '../a',
    'a b',
    'a\0',
    'ä.lan',
    '1.2.3',
    '256.1.1.1',
    'a.0x1f',
    'fe80::1%eth0',
    `${'a'.repeat(64)}.b`,
    `${'a.'.repeat(127)}a`,
  ])('is not %j', (text) => {
    expect(certificateName(text)).toBeUndefined();
  });
});

describe('constraints', () => {
  it('are domains with all that is below them, addresses and ranges', () => {
    const constraints = parseNameConstraints(['.Lan', '192.168.0.77/24', '10.0.0.1', 'FD00::1/64']);
    expect(constraints).toEqual({ names: ['lan'], ranges: ['10.0.0.1/32', '192.168.0.0/24', 'fd00:0:0:0:0:0:0:0/64'] });
    const permits = (text: string) => {
      const name = certificateName(text);
      return name && isPermitted(name, constraints);
    };
    const yes = ['lan', 'a.lan', 'b.a.lan', '192.168.0.1', '10.0.0.1', 'fd00::ffff'];
    const no = ['alan', 'lan.example', '192.168.1.1', '10.0.0.2', 'fd01::1', '::ffff:10.0.0.1'];
    expect(yes.filter((text) => !permits(text))).toEqual([]);
    expect(no.filter((text) => permits(text))).toEqual([]);
  });

  it('without an entry of a kind permit none of it; none at all permit everything', () => {
    const only = parseNameConstraints(['lan']);
    expect(isPermitted({ kind: 'ip', address: '10.0.0.1' }, only)).toBe(false);
    expect(isPermitted({ kind: 'ip', address: '10.0.0.1' }, undefined)).toBe(true);
  });

  it.each(['*', '*.lan', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/', 'fe80::1%0', 'a/8', ''])('are not %j', (text) => {
    expect(() => parseNameConstraints([text])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
