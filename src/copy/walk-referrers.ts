// Signatures, SBOMs and whatever else points to an image: by the referrers API (distribution specification 1.1, "Listing Referrers") and by
// cosign's tags. Cosign sets its tags at every registry, also where other tools' referrers are listed: so both are asked for.
import { cosignTags } from '../oci/cosign-tags.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { decodeManifest, type RawManifest, successors } from '../oci/manifest.ts';
import type { ManifestSource } from './counted-source.ts';

export interface Attached {
  readonly manifest: RawManifest;
  /** The tag under which it is found. A referrer with several tags is listed once for each. */
  readonly tag?: string;
}

/** All referrers of the subjects and, recursively, of those referrers; each after its parts. Their blobs are added to `blobs`. */
export async function walkReferrers(
  subjects: readonly Digest[],
  blobs: Map<Digest, Descriptor>,
  source: ManifestSource,
): Promise<readonly Attached[]> {
  const attached = new Map<Digest, { readonly manifest: RawManifest; readonly tags: Set<string> }>();
  const seen = new Set<Digest>(subjects);

  const take = async (descriptor: Descriptor, tag?: string): Promise<void> => {
    if (!seen.has(descriptor.digest)) {
      seen.add(descriptor.digest);
      const manifest = await source.manifest(descriptor);
      const below = successors(decodeManifest(manifest));
      for (const blob of below.blobs) blobs.set(blob.digest, blob);
      for (const child of below.manifests) await take(child);
      attached.set(manifest.digest, { manifest, tags: new Set() });
    }
    if (tag !== undefined) attached.get(descriptor.digest)?.tags.add(tag);
  };

  let level = subjects;
  while (level.length > 0) {
    const before = new Set(attached.keys());
    const found = await Promise.all(level.map((subject) => referrersOf(subject, source)));
    for (const { descriptor, tag } of found.flat()) await take(descriptor, tag);
    level = [...attached.keys()].filter((digest) => !before.has(digest));
  }
  return [...attached.values()].flatMap(({ manifest, tags }): readonly Attached[] =>
    tags.size === 0 ? [{ manifest }] : [...tags].map((tag) => ({ manifest, tag })),
  );
}

interface Referrer {
  readonly descriptor: Descriptor;
  readonly tag?: string;
}

async function referrersOf(subject: Digest, source: ManifestSource): Promise<readonly Referrer[]> {
  const byTag = async (tag: string): Promise<readonly Referrer[]> => {
    const descriptor = await source.statTag(tag);
    return descriptor ? [{ descriptor, tag }] : [];
  };
  const listed = async () => (await source.referrers(subject)).map((descriptor) => ({ descriptor }));
  return (await Promise.all([listed(), ...cosignTags(subject).map(byTag)])).flat();
}
