// Which of a machine's addresses a VM reaches it at. Interfaces come in as data, in the form of node:os networkInterfaces(). Pure.
import { BlockList, isIPv4, isIPv6 } from 'node:net';

export interface InterfaceAddress {
  readonly address: string;
  readonly family: string | number;
  readonly internal: boolean;
}

export type Interfaces = Readonly<Record<string, readonly InterfaceAddress[] | undefined>>;

/** The address at which VMs with user-space networking reach the host's loopback (xcluster: net-setup-userspace.sh, QEMU's `host=`). */
export const USER_SPACE_HOST = '192.168.0.250';

/** The script of xcluster that sets user-space networking up. */
export const USER_SPACE_SETUP = 'net-setup-userspace.sh';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
LOOPBACK.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');

const PRIVATE = new BlockList();
PRIVATE.addSubnet('10.0.0.0', 8, 'ipv4');
PRIVATE.addSubnet('172.16.0.0', 12, 'ipv4');
PRIVATE.addSubnet('192.168.0.0', 16, 'ipv4');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');

export function isLoopback(address: string): boolean {
  return address === 'localhost' || isIn(LOOPBACK, address);
}

/** `0.0.0.0` and `::`: every address of the machine. */
export function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || /^(?:0{0,4}:){2,7}0{0,4}$/.test(address);
}

/** Whether an address belongs to this machine. */
export function isOwnAddress(address: string, interfaces: Interfaces): boolean {
  return isLoopback(address) || addressesOf(interfaces).some((own) => own.address === address);
}

/**
 * The best address for VMs of a machine that listens on `listening` (`0.0.0.0`: its IPv4 addresses, `::`: all of them): never a loopback or
 * link-local one. The VMs' own bridge before others, IPv4 before IPv6, private addresses before public ones. `undefined` where there is none.
 */
export function bestAddress(listening: string, interfaces: Interfaces): string | undefined {
  const usable = addressesOf(interfaces).filter(
    ({ address, internal }) =>
      !internal && !isLoopback(address) && !isIn(LINK_LOCAL, address) && (listening !== '0.0.0.0' || isIPv4(address)),
  );
  const ranked = usable.map((own) => ({ address: own.address, rank: rankOf(own.address, own.name) }));
  return ranked.sort((a, b) => a.rank - b.rank)[0]?.address;
}

function rankOf(address: string, name: string): number {
  const bridge = name.startsWith('xcbr') ? 0 : 4;
  return bridge + (isIPv4(address) ? 0 : 2) + (isIn(PRIVATE, address) ? 0 : 1);
}

function addressesOf(interfaces: Interfaces): readonly (InterfaceAddress & { readonly name: string })[] {
  return Object.entries(interfaces).flatMap(([name, own]) => (own ?? []).map((entry) => ({ ...entry, name })));
}

function isIn(list: BlockList, address: string): boolean {
  return isIPv4(address) ? list.check(address, 'ipv4') : isIPv6(address) && list.check(address, 'ipv6');
}
