import { describe, expect, it } from 'vitest';
import { type InterfacesNow, writingNetworks } from './writing-networks.ts';

const now: InterfacesNow = {
  interfaces: {
    eth0: [{ address: '10.0.0.5', family: 'IPv4', internal: false, cidr: '10.0.0.5/24' }],
    xcbr1: [{ address: '192.168.0.250', family: 'IPv4', internal: false, cidr: '192.168.0.250/24' }],
  },
  kindOf: (name) =>
    name === 'eth0'
      ? { isBridge: false, ports: [], isPhysical: true }
      : { isBridge: true, ports: [], isPhysical: false },
};
const may = (texts: readonly string[], address: string) =>
  writingNetworks(texts, () => now).some((range) => range.has(address));

describe('networks that may write', () => {
  it('are by default this machine and its VMs, not the network of its card', () => {
    const addresses = ['127.0.0.1', '::1', '10.0.0.5', '192.168.0.77', '10.0.0.6', '203.0.113.9', ''];
    expect(addresses.map((address) => may(['local', 'vms'], address))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(may(['local'], '192.168.0.77')).toBe(false);
  });

  it('may be ranges, also of all addresses', () => {
    expect(may(['10.0.0.0/24'], '10.0.0.6')).toBe(true);
    expect(may(['0.0.0.0/0'], '203.0.113.9')).toBe(true);
    expect(may(['0.0.0.0/0'], '::1')).toBe(false);
  });

  it('are named as local, vms or ranges', () => {
    expect(() => writingNetworks(['lan'])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('are asked of the system once in a while, not for each request', () => {
    let looks = 0;
    const [vms] = writingNetworks(['vms'], () => {
      looks++;
      return now;
    });
    for (let i = 0; i < 100; i++) vms?.has('192.168.0.77');
    expect(looks).toBe(1);
  });

  it('are found on this machine', () => {
    expect(writingNetworks(['local', 'vms']).some((range) => range.has('127.0.0.1'))).toBe(true);
    expect(writingNetworks(['vms']).some((range) => range.has('198.51.100.7'))).toBe(false);
  });
});
