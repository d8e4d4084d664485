// The rules, in the order in which they are asked. Adding a kind of source is adding a file and a line here.
import { composeFile, composeProjects } from './compose/compose.ts';
import type { Rules } from './contract.ts';
import { helmCharts } from './helm/helm.ts';
import { kustomizations } from './kustomize/kustomize.ts';
import { annotations } from './rules/annotations.ts';
import { commandLines } from './rules/arguments.ts';
import { computedImages } from './rules/computed-images.ts';
import { containers } from './rules/containers.ts';
import { crdDefaults } from './rules/crd-defaults.ts';
import { embeddedTexts } from './rules/embedded-texts.ts';
import { environment } from './rules/environment.ts';
import { hubImages } from './rules/hub-images.ts';
import { imageFields } from './rules/image-fields.ts';
import { prefixedParts } from './rules/prefixed-parts.ts';
import { remoteCharts } from './rules/remote-charts.ts';
import { splitFields } from './rules/split-fields.ts';

/** One document at a time. */
const PLAIN_RULES: Rules['documents'] = [
  containers,
  environment,
  commandLines,
  imageFields,
  splitFields,
  prefixedParts,
  hubImages,
  remoteCharts,
  annotations,
  computedImages,
  crdDefaults,
  composeFile,
];

/**
 * All rules, with more of one's own: document rules also see what stands inside texts, and what charts and kustomizations make; tree rules are asked
 * before the others. What no word says to have to do with images, registries or repositories is parsed for no rule: parts of a file over 8 KiB, and
 * texts inside others.
 */
export function rulesWith(own: Partial<Rules> = {}): Rules {
  const plain = [...PLAIN_RULES, ...(own.documents ?? [])];
  const documents = [...plain, embeddedTexts(plain)];
  const trees = [...(own.trees ?? []), helmCharts(documents), kustomizations(documents), composeProjects];
  return { documents, trees };
}

/** Those of this program alone. */
export const SCAN_RULES: Rules = rulesWith();
