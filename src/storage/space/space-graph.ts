// What the manifests of a store name, with blobs as numbers: memory goes with the number of digests, whatever their size.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { newDigestSet } from '../../oci/digest-set.ts';
import { isImagesError } from '../../oci/errors.ts';
import { decodeManifest, MAX_MANIFEST_SIZE, rawManifest, successors } from '../../oci/manifest.ts';
import { digestsIn } from '../collector/digests-in.ts';
import { wholeContent } from '../repositories/read-blob.ts';
import type { Store } from '../store.ts';

export interface SpaceGraph {
  /** In bytes, by the blob's number. */
  readonly sizes: readonly number[];
  numberOf(digest: Digest): number | undefined;
  /** Reads those of the manifests that were not read before, several at once. */
  read(manifests: readonly Digest[]): Promise<void>;
  /** What a manifest that was read consists of. */
  partsOf(manifest: Digest): ManifestParts;
}

export interface ManifestParts {
  /** Numbers of all blobs whose digests occur in the manifest, and its own: what garbage collection keeps for it. */
  readonly named: readonly number[];
  /** What an index lists. */
  readonly children: readonly Digest[];
  readonly subject?: Digest;
}

const READ_AT_ONCE = 16;
const NOTHING: ManifestParts = { named: [], children: [] };

/** `step` is called now and then. */
export async function spaceGraph({ blobs }: Pick<Store, 'blobs'>, step: () => Promise<void>): Promise<SpaceGraph> {
  const numbers = newDigestSet();
  const sizes: number[] = [];
  for await (const { digest, size } of blobs.all()) {
    if (sizes.length % 1000 === 999) await step();
    sizes[numbers.add(digest)] = size;
  }
  const known = new Map<Digest, ManifestParts>();

  async function partsIn(digest: Digest): Promise<ManifestParts> {
    const bytes = numbers.has(digest) ? await wholeContent(blobs, digest, MAX_MANIFEST_SIZE) : undefined;
    if (!bytes) return NOTHING;
    const named = new Set<number>();
    for (const one of [digest, ...digestsIn(bytes)]) {
      const number = numbers.numberOf(one);
      if (number !== undefined) named.add(number);
    }
    return { named: [...named], ...relationsIn(bytes) };
  }

  return {
    sizes,
    numberOf: (digest) => numbers.numberOf(digest),
    read: async (manifests) => {
      const unread = manifests.filter((digest) => !known.has(digest));
      await createLimiter(READ_AT_ONCE).map(unread, async (digest) => {
        known.set(digest, await partsIn(digest));
      });
    },
    partsOf: (manifest) => known.get(manifest) ?? NOTHING,
  };
}

/** Manifests of unknown kinds have no relations. */
function relationsIn(bytes: Uint8Array): Pick<ManifestParts, 'children' | 'subject'> {
  try {
    const manifest = decodeManifest(rawManifest(bytes, undefined));
    const children = successors(manifest).manifests.map(({ digest }) => digest);
    const subject = manifest.subject?.digest;
    return { children, ...(isDigest(subject) && { subject }) };
  } catch (error) {
    if (isImagesError(error)) return { children: [] };
    throw error;
  }
}
