// What scanning finds, and what a rule is. Each kind of source is one rule in its own file; adding one is adding a file and a line in rules.ts.

/** Where a reference stands. */
export interface FilePosition {
  /** Relative to the scanned directory, or as it was given. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The path in the document, `spec.template.spec.containers[0].image`; empty for plain text. */
  readonly path: string;
}

export interface Finding {
  /** The reference as the source means it: registry, repository, tag and digest put together where they stand apart; nothing filled in. */
  readonly image: string;
  /** `used`: sure. `maybe`: it looks like one, and `reason` says what keeps it from being sure. */
  readonly certainty: 'used' | 'maybe';
  readonly reason?: string;
  readonly rule: string;
  readonly place: FilePosition;
}

export interface Warning {
  readonly file: string;
  readonly line?: number;
  readonly text: string;
}

/** One parsed document of a file; `lineOf` is only worked out when asked. */
export interface ScannedDocument {
  readonly file: string;
  /** Plain data: objects, arrays, strings, numbers, booleans, null. Anchors and merges are resolved. */
  readonly value: unknown;
  /** The document was a text inside another one: a ConfigMap's value, an annotation. */
  readonly isEmbedded?: boolean;
  /** The text that it was parsed from, where it was: a rule sees at a glance that it has nothing to do. */
  readonly source?: string;
  /** The line (from 1) at which the value with this path begins. */
  lineOf(path: Path): number;
  /** The line of the file at which line `line` (from 1) of the text with this path stands; where the text is not written line by line, the line at which it begins. */
  lineInText(path: Path, line: number): number;
  /** The YAML tag that is written before the value with this path: `!reset`; empty where none is. */
  readonly tagOf?: (path: Path) => string;
}

export type Path = readonly (string | number)[];

/** Looks at one document at a time. Rules are asked in order; a document may match several. */
export interface DocumentRule {
  readonly name: string;
  matches(document: ScannedDocument): boolean;
  /** A warning is for what is surely an image but cannot be resolved: a template, a placeholder. */
  find(document: ScannedDocument): Iterable<Finding | Warning>;
}

/** The files below a scanned directory. */
export interface FileTree {
  /** Relative paths, `/`-separated, in byte order. */
  readonly files: readonly string[];
  has(file: string): boolean;
  /** The file's text, without a BOM. */
  read(file: string): Promise<string>;
  /** The file as it is: an archive. */
  bytes(file: string): Promise<Uint8Array>;
  /** The file's documents in which an image can be; those that do not parse give a warning, and the file is one of `broken`. */
  documents(file: string): Promise<readonly ScannedDocument[]>;
  /** Files parts of which are not among the documents that were asked for: what is left of them is their lines. */
  readonly broken: ReadonlySet<string>;
}

/** Looks at directories that mean something as a whole (a Helm chart, a kustomization) and takes their files from the document rules. */
export interface TreeRule {
  readonly name: string;
  find(tree: FileTree, given?: GivenValues): Promise<TreeFindings>;
  /** What one file of the tree stands for where the user names it alone; undefined where it is nothing of this kind. */
  findNamed(tree: FileTree, file: string, given?: GivenValues): Promise<TreeFindings | undefined>;
}

/** What a scan asks, in this order: trees first, and what they claim no document rule sees. `rulesWith` (rules.ts) adds rules of one's own to those of this program. */
export interface Rules {
  readonly trees: readonly TreeRule[];
  readonly documents: readonly DocumentRule[];
}

/** Values that the user gives to charts, as `helm install` takes them. */
export interface GivenValues {
  readonly values: Readonly<Record<string, unknown>>;
  /** There is a chart that gets them. */
  onChart(): void;
}

export interface TreeFindings {
  readonly findings: readonly Finding[];
  readonly warnings: readonly Warning[];
  /** Files that the rule has dealt with: no other rule sees them. */
  readonly claimed: ReadonlySet<string>;
}

export interface ScanResult {
  readonly findings: readonly Finding[];
  readonly warnings: readonly Warning[];
}
