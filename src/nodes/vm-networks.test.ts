import { expect, it } from 'vitest';
import type { Interfaces } from './addresses.ts';
import { type InterfaceKind, vmNetworks } from './vm-networks.ts';

const at = (cidr: string) => [{ address: cidr.split('/')[0] ?? '', family: 'IPv4', internal: false, cidr }];
const bridge = (...ports: string[]): InterfaceKind => ({ isBridge: true, ports, isPhysical: false });
const tap: InterfaceKind = { isBridge: false, ports: [], isPhysical: false };
const card: InterfaceKind = { isBridge: false, ports: [], isPhysical: true };

function networks(interfaces: Interfaces, kinds: Readonly<Record<string, InterfaceKind>>): readonly string[] {
  return vmNetworks(interfaces, (name) => kinds[name]);
}

it('networks of VMs are those of bridges that lead to no network card', () => {
  const interfaces = {
    eth0: at('10.0.0.5/24'),
    xcbr1: at('192.168.0.250/24'),
    docker0: at('172.17.0.1/16'),
    tap3: at('192.168.7.1/30'),
    lan: at('10.9.0.1/16'),
    wg0: at('10.8.0.1/24'),
  };
  const kinds = {
    eth0: card,
    xcbr1: bridge('tap1'),
    docker0: bridge(),
    tap1: tap,
    tap3: tap,
    lan: bridge('tap1', 'eth0'),
  };
  expect(networks(interfaces, kinds)).toEqual(['192.168.0.250/24', '172.17.0.1/16']);
});

it('a bridge whose port is unknown may lead anywhere', () => {
  expect(networks({ br0: at('10.0.0.1/8') }, { br0: bridge('bond0') })).toEqual([]);
});

it('link-local networks, and those without a netmask, count for none', () => {
  const interfaces = {
    br0: [
      ...at('169.254.1.1/16'),
      ...at('fe80::1/64'),
      { address: '10.0.0.1', family: 'IPv4', internal: false, cidr: null },
    ],
  };
  expect(networks(interfaces, { br0: bridge() })).toEqual([]);
});
