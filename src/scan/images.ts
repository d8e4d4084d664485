// The result of `getimages`: the image references of a scan.
import { byBytes } from './byte-order.ts';
import type { ScanResult } from './contract.ts';

/**
 * The references in use, unique, in byte order. With `maybe` the uncertain ones instead, except those that are also in use.
 */
export function imagesOf(result: ScanResult, options: { readonly maybe?: boolean } = {}): readonly string[] {
  const used = new Set(result.findings.filter((finding) => finding.certainty === 'used').map(({ image }) => image));
  if (!options.maybe) return [...used].sort(byBytes);
  const maybe = new Set(result.findings.map(({ image }) => image).filter((image) => !used.has(image)));
  return [...maybe].sort(byBytes);
}
