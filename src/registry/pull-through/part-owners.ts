// For which repository a part of a blob was got. Where not everybody may pull everything, only a fetch for the same one may go on from it: any other host could send
// the last byte alone, and have the rest given to those who may not have it.
import type { Digest } from '../../oci/digest.ts';
import type { Registry } from '../contract.ts';
import type { UpstreamName } from './contract.ts';
import { upstreamText } from './upstream-name.ts';

export interface PartOwners {
  /** To be called when a fetch for this repository has failed. */
  left(name: UpstreamName, digest: Digest): Promise<void>;
  /** Whether what is here of the blob is what a fetch for this repository has left. */
  isOf(name: UpstreamName, digest: Digest): Promise<boolean>;
}

const MOST = 1000;

export function partOwners({ partialBytes }: Pick<Registry, 'partialBytes'>): PartOwners {
  const known = new Map<Digest, { readonly of: string; readonly bytes: number }>();
  const size = (digest: Digest) => partialBytes(digest).catch(() => 0);
  return {
    left: async (name, digest) => {
      known.delete(digest);
      const bytes = await size(digest);
      if (bytes === 0) return;
      known.set(digest, { of: upstreamText(name), bytes });
      const [oldest] = known.keys();
      if (known.size > MOST && oldest !== undefined) known.delete(oldest);
    },
    isOf: async (name, digest) => {
      const part = known.get(digest);
      // Another process may have got more of it since, for another repository.
      return part?.of === upstreamText(name) && part.bytes === (await size(digest));
    },
  };
}
