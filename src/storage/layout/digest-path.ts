// A digest as a part of a key.
import { type Digest, digestAlgorithm, digestHex } from '../../oci/digest.ts';

/** `ALGORITHM/HEX`. */
export function digestPath(digest: Digest): string {
  return `${digestAlgorithm(digest)}/${digestHex(digest)}`;
}
