import { describe, expect, it } from 'vitest';
import {
  bestAddress,
  bestOfEachFamily,
  type Interfaces,
  isLoopback,
  isOwnAddress,
  isUnspecified,
} from './addresses.ts';

const lo = [
  { address: '127.0.0.1', family: 'IPv4', internal: true },
  { address: '::1', family: 'IPv6', internal: true },
];

function machine(addresses: Readonly<Record<string, string>>): Interfaces {
  const others = Object.entries(addresses).map(([name, address]) => [
    name,
    [{ address, family: address.includes(':') ? 'IPv6' : 'IPv4', internal: false }],
  ]);
  return { lo, ...Object.fromEntries(others) };
}

describe('the address that VMs are given', () => {
  it('is never a loopback or link-local address', () => {
    expect(bestAddress('0.0.0.0', { lo })).toBeUndefined();
    expect(bestAddress('::', machine({ eth0: 'fe80::1', eth1: '169.254.7.7' }))).toBeUndefined();
  });

  it('prefers the bridge of the VMs, then IPv4, then private addresses', () => {
    expect(bestAddress('0.0.0.0', machine({ eth0: '10.0.0.5', xcbr1: '192.168.0.250' }))).toBe('192.168.0.250');
    expect(bestAddress('::', machine({ eth0: 'fd00::5', eth1: '10.0.0.5' }))).toBe('10.0.0.5');
    expect(bestAddress('0.0.0.0', machine({ eth0: '8.8.8.8', eth1: '172.17.0.1' }))).toBe('172.17.0.1');
  });

  it('is an IPv6 address only if the registry listens on IPv6', () => {
    expect(bestAddress('0.0.0.0', machine({ eth0: 'fd00::5' }))).toBeUndefined();
    expect(bestAddress('::', machine({ eth0: 'fd00::5' }))).toBe('fd00::5');
  });
});

it('a bridge with nothing connected counts if it is that of VMs, or if there is nothing else', () => {
  const quiet = (address: string) => [{ address, family: 'IPv4', internal: false, isQuiet: true }];
  const docker0 = { docker0: quiet('172.17.0.1') };
  expect(bestAddress('::', { lo, ...docker0, ...machine({ eth0: '8.8.8.8' }) })).toBe('8.8.8.8');
  expect(bestAddress('::', { lo, ...docker0 })).toBe('172.17.0.1');
  expect(bestAddress('::', { ...docker0, ...machine({ eth0: '10.0.0.5' }), xcbr1: quiet('192.168.0.250') })).toBe(
    '192.168.0.250',
  );
});

it('nodes are given the best address of each family', () => {
  const both = machine({ eth0: '10.0.0.5', eth1: 'fd00::5', xcbr1: '192.168.0.250' });
  expect(bestOfEachFamily('::', both)).toEqual(['192.168.0.250', 'fd00::5']);
  expect(bestOfEachFamily('0.0.0.0', both)).toEqual(['192.168.0.250']);
  expect(bestOfEachFamily('::', { lo })).toEqual([]);
});

describe('the kinds of addresses', () => {
  it('loopback is recognised in both families, also mapped', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'].every(isLoopback)).toBe(true);
    expect(['128.0.0.1', '::2', 'example.com'].some(isLoopback)).toBe(false);
  });

  it('the unspecified address is recognised in both families', () => {
    expect(['0.0.0.0', '::', '0:0:0:0:0:0:0:0'].every(isUnspecified)).toBe(true);
    expect(['::1', '10.0.0.0', '1::'].some(isUnspecified)).toBe(false);
  });

  it('the addresses of this machine are recognised', () => {
    expect(isOwnAddress('10.0.0.5', machine({ eth0: '10.0.0.5' }))).toBe(true);
    expect(isOwnAddress('10.0.0.6', machine({ eth0: '10.0.0.5' }))).toBe(false);
  });
});
