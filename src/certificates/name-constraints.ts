// For which names a CA may make certificates (RFC 5280, section 4.2.1.10). Relies on node:net.
import { BlockList, isIP } from 'node:net';
import { ImagesError } from '../oci/errors.ts';
import { networkOf } from './address-octets.ts';
import { type CertificateName, hostName } from './names.ts';

/** Nothing else is permitted: an empty list forbids all of its kind. */
export interface NameConstraintLists {
  /** Each stands for itself and all names that end in a dot and it. */
  readonly names: readonly string[];
  /** `10.0.0.0/8`, `fd00::/8`, or single addresses; as `parseNameConstraints` spells them. */
  readonly ranges: readonly string[];
}

/** From what people write. Errors: USAGE. */
export function parseNameConstraints(texts: readonly string[]): NameConstraintLists {
  const names: string[] = [];
  const ranges: string[] = [];
  for (const text of texts) {
    const [network = '', length] = text.split('/');
    const family = isIP(network);
    const most = family === 4 ? 32 : 128;
    const name = hostName(text.toLowerCase().replace(/^\./, ''));
    if (family !== 0 && !network.includes('%') && /^\d{1,3}$/.test(length ?? '0') && Number(length ?? 0) <= most) {
      ranges.push(networkOf(`${network}/${length ?? most}`));
    } else if (name !== undefined) names.push(name);
    else {
      throw new ImagesError('USAGE', `not a name or range of addresses for certificates [${text}]`, {
        hint: 'Write a host or domain (registry.lan, lan), an address, or a range: 192.168.0.0/24.',
      });
    }
  }
  return { names: [...new Set(names)].sort(), ranges: [...new Set(ranges)].sort() };
}

export function isPermitted(name: CertificateName, constraints: NameConstraintLists | undefined): boolean {
  if (!constraints) return true;
  if (name.kind === 'dns') {
    return constraints.names.some((domain) => name.name === domain || name.name.endsWith(`.${domain}`));
  }
  return constraints.ranges.some((range) => isInRange(name.address, range));
}

function isInRange(address: string, range: string): boolean {
  const [network = '', length] = range.split('/');
  const family = isIP(network);
  if (isIP(address) !== family) return false;
  const list = new BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(network, Number(length), kind);
  return list.check(address, kind);
}
