// The list of rules, in the order in which they are asked. A new kind of source is a new file and a line here.
import { composeFile, composeProjects } from './compose/compose.ts';
import type { ListedRule, Rules } from './contract.ts';
import { helmCharts } from './helm/helm.ts';
import { kustomizations } from './kustomize/kustomize.ts';
import { withNamedFailures } from './named-failures.ts';
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

/** Rules that look at one document at a time. */
const PLAIN_RULES: readonly ListedRule[] = [
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
 * The built-in rules with additional ones. Document rules also see texts inside documents and the output of charts and kustomizations; additional tree rules
 * come before the built-in ones. Parts of a file over 8 KiB, and texts inside other texts, are parsed only if they have the clue of a rule (`DocumentRule.clue`).
 */
export function rulesWith(own: Partial<Rules> = {}): Rules {
  const plain = [...PLAIN_RULES, ...(own.documents ?? []).map(withNamedFailures)];
  const documents = [...plain, embeddedTexts(plain)];
  const trees = [...(own.trees ?? []), helmCharts(documents), kustomizations(documents), composeProjects];
  return { documents, trees };
}

/** The built-in rules. */
export const SCAN_RULES: Rules = rulesWith();
