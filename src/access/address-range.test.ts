import { describe, expect, it } from 'vitest';
import { parseAddressRange, plainAddress } from './address-range.ts';

describe('a range of addresses', () => {
  it('has the addresses of its network, and those of no other family', () => {
    const lab = parseAddressRange('192.168.0.0/24');
    expect(['192.168.0.0', '192.168.0.255'].every(lab.has)).toBe(true);
    expect(['192.168.1.0', '::ffff:192.168.0.1', '192.168.0', ''].some(lab.has)).toBe(false);
    const unique = parseAddressRange('fd00::/8');
    expect(unique.has('fd12:3456::1')).toBe(true);
    expect(['fe80::1', '0.0.0.0'].some(unique.has)).toBe(false);
  });

  it('of IPv4-mapped addresses is one of IPv4, as addresses are compared', () => {
    const mapped = parseAddressRange('::ffff:10.0.0.0/104');
    expect(['10.1.2.3', '11.0.0.1', '::ffff:10.0.0.1'].map(mapped.has)).toEqual([true, false, false]);
    expect(parseAddressRange('::ffff:a00:1').has('10.0.0.1')).toBe(true);
    expect(parseAddressRange('::ffff:0:0/96').has('203.0.113.9')).toBe(true);
    expect(parseAddressRange('::/0').has('10.0.0.1')).toBe(false);
  });

  it('may be one address, or all of them', () => {
    expect(parseAddressRange('::1').has('::1')).toBe(true);
    expect(parseAddressRange('10.0.0.5').has('10.0.0.6')).toBe(false);
    expect(parseAddressRange('0.0.0.0/0').has('203.0.113.9')).toBe(true);
  });

  it.each([
    '',
    'lab',
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    'fe80::1%eth0',
  ])('is not [%s]', (text) => {
    expect(() => parseAddressRange(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

it.each(['0.0.0.0', '::', '0:0::0'])('%s is not all addresses, and says so', (text) => {
  expect(() => parseAddressRange(text)).toThrow(
    expect.objectContaining({ code: 'USAGE', hint: 'All addresses are 0.0.0.0/0 and ::/0.' }),
  );
});

it('the address of a socket is compared without its zone, and IPv4 as IPv4', () => {
  expect(plainAddress('::ffff:10.0.0.1')).toBe('10.0.0.1');
  expect(plainAddress('fe80::1%eth0')).toBe('fe80::1');
  expect(plainAddress('::ffff:10.0.0.999')).toBe('::ffff:10.0.0.999');
  for (const text of ['::ffff:a00:1', '::FFFF:0A00:0001', '0:0:0:0:0:ffff:10.0.0.1', '::0:ffff:a00:1%eth0']) {
    expect(plainAddress(text), text).toBe('10.0.0.1');
  }
  for (const text of ['::a00:1', '::fffe:a00:1', '::ffff:0:a00:1', '::1', '10.0.0.1', 'nonsense:']) {
    expect(plainAddress(text), text).toBe(text);
  }
});
