// From where a registry may be written to by those who have not logged in: this machine, and the networks of its VMs. Relies on /sys (Linux) and node:os.
import { existsSync, readdirSync } from 'node:fs';
import { type AddressRange, parseAddressRange } from '../../access/address-range.ts';
import { type Interfaces, isLoopback, isOwnAddress } from '../../nodes/addresses.ts';
import { type InterfaceKind, vmNetworks } from '../../nodes/vm-networks.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { ownInterfaces } from './own-interfaces.ts';

/** In milliseconds. Bridges come and go while a registry runs. */
const LOOKED_AT_EVERY = 5000;
const INTERFACES = '/sys/class/net';

/** What a registry goes by that was told nothing: who may write files of this machine's user can push anyway, and VMs are started to use the registry. */
export const DEFAULT_WRITERS: readonly string[] = ['local', 'vms'];

/**
 * Ranges as people write them: `local` (this machine's own addresses), `vms` (the networks of its bridges that lead to no network card), or CIDR
 * notation. Errors: USAGE.
 */
export function writingNetworks(texts: readonly string[], look: Look = lookAtInterfaces): readonly AddressRange[] {
  return texts.map((text) => {
    if (text === 'local') return remembering(text, look, ({ interfaces }) => [...ownAddresses(interfaces)]);
    if (text === 'vms') return remembering(text, look, ({ interfaces, kindOf }) => vmNetworks(interfaces, kindOf));
    try {
      return parseAddressRange(text);
    } catch (cause) {
      if (!isImagesError(cause)) throw cause;
      throw new ImagesError('USAGE', text === '' ? 'a range of addresses is empty' : cause.message, {
        hint: 'Write local, vms, or ranges such as 192.168.0.0/24, with commas between them. All addresses are 0.0.0.0/0,::/0.',
        cause,
      });
    }
  });
}

export interface InterfacesNow {
  readonly interfaces: Interfaces;
  readonly kindOf: (name: string) => InterfaceKind | undefined;
}

type Look = () => InterfacesNow;

function remembering(text: string, look: Look, networks: (now: InterfacesNow) => readonly string[]): AddressRange {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let ranges: readonly AddressRange[] = [];
  return {
    text,
    has: (address) => {
      if (text === 'local' && isLoopback(address)) return true;
      if (performance.now() - lookedAt > LOOKED_AT_EVERY) {
        lookedAt = performance.now();
        ranges = networks(look()).map(parseAddressRange);
      }
      return ranges.some((range) => range.has(address));
    },
  };
}

function ownAddresses(interfaces: Interfaces): readonly string[] {
  const all = Object.values(interfaces).flatMap((addresses = []) => addresses.map(({ address }) => address));
  return all.filter((address) => isOwnAddress(address, interfaces)).map((address) => address.split('%')[0] ?? '');
}

function lookAtInterfaces(): InterfacesNow {
  return { interfaces: ownInterfaces(), kindOf };
}

/** See Documentation/ABI/testing/sysfs-class-net of the kernel. */
function kindOf(name: string): InterfaceKind | undefined {
  const at = `${INTERFACES}/${name}`;
  if (name.includes('/') || !existsSync(at)) return undefined;
  const isBridge = existsSync(`${at}/bridge`);
  return {
    isBridge,
    ports: isBridge ? readdirSync(`${at}/brif`) : [],
    isPhysical: existsSync(`${at}/device`),
  };
}
