// The ids and links of layers in a store of the overlay driver (containers/image, storage destination; containers/storage, overlay driver). Pure.
import { createHash } from 'node:crypto';
import { type Digest, digestHex } from '../../oci/digest.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const LINK_LENGTH = 26;

/** The ids of layers, the base first. Each id is derived from the whole chain below it, so equal chains have equal ids in every store. */
export function layerIds(diffIds: readonly Digest[]): readonly string[] {
  const ids: string[] = [];
  for (const diffId of diffIds) {
    const hex = digestHex(diffId);
    const parent = ids.at(-1);
    ids.push(parent === undefined ? hex : createHash('sha256').update(`${parent}+${hex}`).digest('hex'));
  }
  return ids;
}

/** The short name by which a mount refers to a layer: 26 characters. Other tools choose them at random. */
export function linkOf(id: string): string {
  const bits = BigInt(`0x${id}`);
  const top = BigInt(4 * id.length);
  return Array.from(
    { length: LINK_LENGTH },
    (_, at) => BASE32[Number((bits >> (top - BigInt(5 * (at + 1)))) & 31n)],
  ).join('');
}
