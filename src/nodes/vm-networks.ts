// Which networks belong to VMs and containers of this machine: those of bridges that lead to no network card. A tap or tun by itself may be a VPN, so it counts
// for none. Interfaces are passed in. Pure.
import type { Interfaces } from './addresses.ts';

export interface InterfaceKind {
  readonly isBridge: boolean;
  /** Names of the interfaces that a bridge connects. */
  readonly ports: readonly string[];
  /** It is a network card. */
  readonly isPhysical: boolean;
}

/** In CIDR notation. `kindOf` tells what the system knows of an interface; `undefined` if nothing. Link-local networks belong to no interface alone, so they count for none. */
export function vmNetworks(
  interfaces: Interfaces,
  kindOf: (name: string) => InterfaceKind | undefined,
): readonly string[] {
  return Object.entries(interfaces).flatMap(([name, addresses = []]) => {
    const kind = kindOf(name);
    if (!kind?.isBridge || kind.isPhysical || kind.ports.some((port) => kindOf(port)?.isPhysical ?? true)) return [];
    return addresses.flatMap(({ cidr, address }) => (cidr && !LINK_LOCAL.test(address) ? [cidr] : []));
  });
}

const LINK_LOCAL = /^(?:169\.254\.|fe[89ab][0-9a-f]:)/i;
