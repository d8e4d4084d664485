// Signatures, SBOMs and whatever else points to an image: by the referrers API (distribution specification 1.1, "Listing Referrers"),
// and where that has nothing by cosign's tags (github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md, "Storage").
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestHex } from '../oci/digest.ts';
import { decodeManifest, type RawManifest, successors } from '../oci/manifest.ts';
import type { ManifestSource } from './counted-source.ts';

export interface Attached {
  readonly manifest: RawManifest;
  /** Where it is found by a tag. */
  readonly tag?: string;
}

const COSIGN_SUFFIXES = ['sig', 'att', 'sbom'];

/** All that points to the subjects, and to what points to them; each after what it consists of. Their blobs are added to `blobs`. */
export async function walkReferrers(
  subjects: readonly Digest[],
  blobs: Map<Digest, Descriptor>,
  source: ManifestSource,
): Promise<readonly Attached[]> {
  const attached = new Map<Digest, Attached>();
  const seen = new Set<Digest>(subjects);

  const take = async (descriptor: Descriptor, tag?: string): Promise<void> => {
    if (seen.has(descriptor.digest)) return;
    seen.add(descriptor.digest);
    const raw = await source.manifest(descriptor);
    const below = successors(decodeManifest(raw));
    for (const blob of below.blobs) blobs.set(blob.digest, blob);
    for (const child of below.manifests) await take(child);
    attached.set(raw.digest, { manifest: raw, ...(tag && { tag }) });
  };

  let level = subjects;
  while (level.length > 0) {
    const before = new Set(attached.keys());
    const found = await Promise.all(level.map((subject) => referrersOf(subject, source)));
    for (const { descriptor, tag } of found.flat()) await take(descriptor, tag);
    level = [...attached.keys()].filter((digest) => !before.has(digest));
  }
  return [...attached.values()];
}

interface Referrer {
  readonly descriptor: Descriptor;
  readonly tag?: string;
}

async function referrersOf(subject: Digest, source: ManifestSource): Promise<readonly Referrer[]> {
  const listed = await source.referrers(subject);
  if (listed.length > 0) return listed.map((descriptor) => ({ descriptor }));
  const tags = COSIGN_SUFFIXES.map((suffix) => `${digestAlgorithm(subject)}-${digestHex(subject)}.${suffix}`);
  const tagged = await Promise.all(tags.map(async (tag) => ({ tag, descriptor: await source.statTag(tag) })));
  return tagged.flatMap(({ tag, descriptor }) => (descriptor ? [{ tag, descriptor }] : []));
}
