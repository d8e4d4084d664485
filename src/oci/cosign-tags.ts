// The tags under which cosign keeps what belongs to an image (github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md, "Storage"). Pure.
import { type Digest, digestAlgorithm, digestHex } from './digest.ts';

const SUFFIXES = ['sig', 'att', 'sbom'];

/** Of its signatures, attestations and SBOMs. */
export function cosignTags(subject: Digest): readonly string[] {
  // A tag has 128 characters at most: of sha512, cosign's tags are none.
  if (digestAlgorithm(subject) !== 'sha256') return [];
  return SUFFIXES.map((suffix) => `sha256-${digestHex(subject)}.${suffix}`);
}
