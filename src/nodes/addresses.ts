// Finds the address at which VMs reach this machine. Interfaces are passed in, in the format of node:os networkInterfaces(). Pure.
import { isIPv4 } from 'node:net';

export interface InterfaceAddress {
  readonly address: string;
  readonly family: string | number;
  readonly internal: boolean;
  /** Address and length of the network's prefix; null where the system names no netmask. */
  readonly cidr?: string | null;
  /** Nothing is connected to the interface now: a bridge of VMs that do not run. */
  readonly isQuiet?: boolean;
}

export type Interfaces = Readonly<Record<string, readonly InterfaceAddress[] | undefined>>;

/** The address at which VMs with user-space networking reach the host's loopback (xcluster: net-setup-userspace.sh, QEMU's `host=`). */
export const USER_SPACE_HOST = '192.168.0.250';

/** The script of xcluster that sets up user-space networking. */
export const USER_SPACE_SETUP = 'net-setup-userspace.sh';

const LOOPBACK = /^(?:localhost$|127\.|(?:0{0,4}:){2,7}0{0,3}1$|::ffff:127\.)/i;
const LINK_LOCAL = /^(?:169\.254\.|fe[89ab][0-9a-f]:)/i;
const PRIVATE = /^(?:10\.|172\.(?:1[6-9]|2\d|3[01])\.|192\.168\.|f[cd][0-9a-f]{2}:)/i;

export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address);
}

/** Whether the address is `0.0.0.0` or `::`: every address of the machine. */
export function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || /^(?:0{0,4}:){2,7}0{0,4}$/.test(address);
}

/** Whether an address belongs to this machine. */
export function isOwnAddress(address: string, interfaces: Interfaces): boolean {
  return isLoopback(address) || addressesOf(interfaces).some((own) => own.address === address);
}

/**
 * The best address for VMs of a machine that listens on `listening` (`0.0.0.0`: its IPv4 addresses, `::`: all of them). Never a loopback or link-local
 * one. Prefers the VMs' own bridge, then IPv4, then private addresses. Returns `undefined` if there is none.
 */
export function bestAddress(listening: string, interfaces: Interfaces): string | undefined {
  return rankedAddresses(listening, interfaces)[0];
}

/** The same of each family: at most one IPv4 and one IPv6 address, best first. */
export function bestOfEachFamily(listening: string, interfaces: Interfaces): readonly string[] {
  const ranked = rankedAddresses(listening, interfaces);
  return ranked.filter((address, at) => ranked.findIndex((other) => isIPv4(other) === isIPv4(address)) === at);
}

function rankedAddresses(listening: string, interfaces: Interfaces): readonly string[] {
  const usable = addressesOf(interfaces).filter(
    ({ address, internal }) =>
      !internal && !isLoopback(address) && !LINK_LOCAL.test(address) && (listening !== '0.0.0.0' || isIPv4(address)),
  );
  // The bridge of a container engine without containers is no way to VMs; that of xcluster is, when they run.
  const alive = usable.filter(({ isQuiet, name }) => !isQuiet || isVmBridge(name));
  const ranked = (alive.length > 0 ? alive : usable).map((own) => ({
    address: own.address,
    rank: rankOf(own.address, own.name),
  }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ address }) => address);
}

function rankOf(address: string, name: string): number {
  const bridge = isVmBridge(name) ? 0 : 4;
  return bridge + (isIPv4(address) ? 0 : 2) + (PRIVATE.test(address) ? 0 : 1);
}

function isVmBridge(name: string): boolean {
  return name.startsWith('xcbr');
}

function addressesOf(interfaces: Interfaces): readonly (InterfaceAddress & { readonly name: string })[] {
  return Object.entries(interfaces).flatMap(([name, own]) => (own ?? []).map((entry) => ({ ...entry, name })));
}
