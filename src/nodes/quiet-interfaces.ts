// Addresses of interfaces without a carrier, which node:os leaves out: a bridge none of whose VMs runs yet is such a one, and its address is what the VMs need.
// From the tables of Linux in /proc/net. Pure.
import type { InterfaceAddress, Interfaces } from './addresses.ts';

/** The texts of `fib_trie`, `route` and `if_inet6`; empty where there is none. */
export interface NetworkTables {
  readonly trie: string;
  readonly routes: string;
  readonly inet6: string;
}

type Named = InterfaceAddress & { readonly name: string };

/** The interfaces, and what else the tables have. */
export function withQuietInterfaces(interfaces: Interfaces, tables: NetworkTables): Interfaces {
  const known = new Set(Object.values(interfaces).flatMap((all = []) => all.map(({ address }) => address)));
  const all: Record<string, readonly InterfaceAddress[] | undefined> = { ...interfaces };
  for (const { name, ...found } of [...ipv4Of(tables), ...ipv6Of(tables)]) {
    if (known.has(found.address)) continue;
    known.add(found.address);
    all[name] = [...(all[name] ?? []), { ...found, isQuiet: true }];
  }
  return all;
}

/** `fib_trie` knows which addresses are this machine's, `route` which networks belong to which interface. */
function ipv4Of({ trie, routes }: NetworkTables): readonly Named[] {
  const networks = routes.split('\n').flatMap((line) => {
    const [name = '', network = '', gateway = '', , , , , mask = ''] = line.split(/\s+/);
    if (!/^[0-9A-F]{8}$/.test(network) || !/^0{8}$/.test(gateway)) return [];
    return [{ name, network: Number.parseInt(network, 16), mask: Number.parseInt(mask, 16) }];
  });
  const own = [...trie.matchAll(/\|-- ([\d.]+)\n(?:\s+\/\d+ (?!host LOCAL).*\n)*\s+\/32 host LOCAL/g)];
  return own.flatMap(([, address = '']) => {
    const bits = littleEndian(address);
    const [nearest] = networks
      .filter(({ network, mask }) => ((bits & mask) ^ network) === 0 && mask !== 0)
      .toSorted((a, b) => ones(b.mask) - ones(a.mask));
    if (!nearest) return [];
    return [{ name: nearest.name, address, family: 'IPv4', internal: false, cidr: `${address}/${ones(nearest.mask)}` }];
  });
}

/** As `route` writes addresses. */
function littleEndian(address: string): number {
  return address.split('.').reduce((bits, part, at) => bits | (Number(part) << (8 * at)), 0);
}

function ones(mask: number): number {
  return (mask >>> 0).toString(2).replaceAll('0', '').length;
}

/** IFA_F_DADFAILED of linux/if_addr.h: another machine has the address. */
const TAKEN = 0x08;
const LOOPBACK_SCOPE = 0x10;

/** Lines are: address, index, length of the prefix, scope, flags (all in hexadecimal), name. */
function ipv6Of({ inet6 }: NetworkTables): readonly Named[] {
  return inet6.split('\n').flatMap((line) => {
    const [digits = '', , length = '', scope = '', flags = '', name = ''] = line.trim().split(/\s+/);
    if (!/^[0-9a-f]{32}$/.test(digits) || name === '' || (Number.parseInt(flags, 16) & TAKEN) !== 0) return [];
    const groups = digits.replace(/.{4}(?=.)/g, '$&:');
    // In its shortest form.
    const address = new URL(`http://[${groups}]`).hostname.slice(1, -1);
    const internal = Number.parseInt(scope, 16) === LOOPBACK_SCOPE;
    return [{ name, address, family: 'IPv6', internal, cidr: `${address}/${Number.parseInt(length, 16)}` }];
  });
}
