// The tags under which cosign keeps what belongs to an image (github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md, "Storage"). Pure.
import { type Digest, digestAlgorithm, digestHex } from './digest.ts';

const SUFFIXES = ['sig', 'att', 'sbom'];

/** The tags of the subject's signatures, attestations and SBOMs. */
export function cosignTags(subject: Digest): readonly string[] {
  // A tag has at most 128 characters. A sha512 digest does not fit, so cosign has no tags for it.
  if (digestAlgorithm(subject) !== 'sha256') return [];
  return SUFFIXES.map((suffix) => `sha256-${digestHex(subject)}.${suffix}`);
}
