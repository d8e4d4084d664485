// The chain ids of layers (OCI image specification, config.md, "Layer ChainID"): each names the file system up to a layer. Pure.
import { type Digest, digestOf } from '../oci/digest.ts';

/** The base first. */
export function chainIds(diffIds: readonly Digest[]): readonly Digest[] {
  const ids: Digest[] = [];
  for (const diffId of diffIds) {
    const below = ids.at(-1);
    ids.push(below === undefined ? diffId : digestOf(Buffer.from(`${below} ${diffId}`)));
  }
  return ids;
}
