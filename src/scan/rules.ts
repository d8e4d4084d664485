// The rules, in the order in which they are asked. Adding a kind of source is adding a file and a line here.
import { composeFile, composeProjects } from './compose/compose.ts';
import type { DocumentRule, TreeRule } from './contract.ts';
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
const PLAIN_RULES: readonly DocumentRule[] = [
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

/** The plain rules, and the same for what stands inside texts. */
export const DOCUMENT_RULES: readonly DocumentRule[] = [...PLAIN_RULES, embeddedTexts(PLAIN_RULES)];

/** Directories that mean something as a whole; what they claim, no other rule sees. What they make goes through the document rules. */
export const TREE_RULES: readonly TreeRule[] = [
  helmCharts(DOCUMENT_RULES),
  kustomizations(DOCUMENT_RULES),
  composeProjects,
];
