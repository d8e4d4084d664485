// A digest as a part of a key.
import { type Digest, digestAlgorithm, digestHex, isDigest } from '../../oci/digest.ts';

/** `ALGORITHM/HEX`. */
export function digestPath(digest: Digest): string {
  return `${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/** The digest of such a part; `undefined` if it is none. */
export function parseDigestPath(path: string): Digest | undefined {
  const digest = path.replace('/', ':');
  return isDigest(digest) ? digest : undefined;
}
