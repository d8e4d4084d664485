// What is public of scan/: finds the images that manifests use, with their positions; the rules, and the interface for additional rules.
export type {
  DocumentRule,
  FilePosition,
  FileTree,
  Finding,
  GivenValues,
  Path,
  Rules,
  ScannedDocument,
  ScanResult,
  TreeFindings,
  TreeRule,
  Warning,
} from './contract.ts';
export type { OnScanEvent, ScanEvent } from './events.ts';
export type { Fields } from './fields.ts';
export { maybe as maybeImage, type Spot, unresolved as unresolvedImage, used as usedImage } from './findings.ts';
export { type Judged as JudgedImage, judgeImage } from './image-text.ts';
export { imagesOf } from './images.ts';
export { pathOf } from './path.ts';
export { rulesWith, SCAN_RULES } from './rules.ts';
export { type ScanOptions, scan } from './scan.ts';
export { type ScanFileOptions, scanFile, scanPackedChart } from './scan-file.ts';
export { type KubernetesObject, type Visit, visitsOf } from './walk.ts';
