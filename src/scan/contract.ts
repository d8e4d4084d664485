// The result types of a scan, and the interface of a rule. Each kind of source is one rule in its own file, listed in rules.ts.

/** The position of a reference in a file. */
export interface FilePosition {
  /** Relative to the scanned directory, or for a single file the path that the user gave. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** The path in the document, such as `spec.template.spec.containers[0].image`. Empty for plain text. */
  readonly path: string;
}

export interface Finding {
  /** The reference as the source means it, without defaults filled in. Separate fields for registry, repository, tag and digest are joined. */
  readonly image: string;
  /** `used`: certainly an image in use. `maybe`: it looks like an image, and `reason` says why that is not certain. */
  readonly certainty: 'used' | 'maybe';
  readonly reason?: string;
  readonly rule: string;
  readonly position: FilePosition;
}

export interface Warning {
  readonly file: string;
  readonly line?: number;
  readonly text: string;
}

/** One parsed document of a file. `lineOf` is computed only on request. */
export interface ScannedDocument {
  readonly file: string;
  /** Plain data: objects, arrays, strings, numbers, booleans, null. Anchors and merges are resolved. */
  readonly value: unknown;
  /** The document was a text inside another document, such as a ConfigMap value or an annotation. */
  readonly isEmbedded?: boolean;
  /** The text from which the document was parsed, if there is one. Lets a rule skip the document quickly. */
  readonly source?: string;
  /** The line (from 1) at which the value at this path begins. */
  lineOf(path: Path): number;
  /** The line in the file of line `line` (from 1) of the text at this path. If the text is not written line by line: the line at which it begins. */
  lineInText(path: Path, line: number): number;
  /** The YAML tag before the value at this path, such as `!reset`. Empty if there is none. */
  readonly tagOf?: (path: Path) => string;
}

export type Path = readonly (string | number)[];

/** A rule that looks at one document at a time. Rules are asked in order; several may match the same document. */
export interface DocumentRule {
  readonly name: string;
  /**
   * What a text has if the rule can find something in it: the name of a field, a kind, the form of a value. Parts of files over 8 KiB, and texts inside other
   * texts, are parsed only if they have the clue of some rule. It is joined with the clues of others, so it has neither backreferences nor named groups.
   * When absent, the clues of the other rules decide.
   */
  readonly clue?: RegExp;
  /** The rule looks into CustomResourceDefinitions, where others find nothing. Its clue counts there, and nowhere else. */
  readonly inSchemas?: boolean;
  matches(document: ScannedDocument): boolean;
  /** Yields a warning for what is certainly an image but cannot be resolved: a template or a placeholder. */
  find(document: ScannedDocument): Iterable<Finding | Warning>;
}

/** A rule of this program: a line of rules.ts. */
export interface ListedRule extends DocumentRule {
  readonly clue: RegExp;
  /** A document in which the rule finds an image. */
  readonly sample: string;
}

/** The files below a scanned directory. */
export interface FileTree {
  /** Relative paths, `/`-separated, in byte order. */
  readonly files: readonly string[];
  has(file: string): boolean;
  /** The text of the file, without a byte order mark. */
  read(file: string): Promise<string>;
  /** The unchanged bytes of the file, for archives. */
  bytes(file: string): Promise<Uint8Array>;
  /** The documents of the file that can contain an image. If one does not parse, a warning is given and the file is added to `broken`. */
  documents(file: string): Promise<readonly ScannedDocument[]>;
  /** Files of which a requested part did not parse. Those parts can only be searched line by line. */
  readonly broken: ReadonlySet<string>;
}

/** A rule for directories that have a meaning as a whole (a Helm chart, a kustomization). It claims their files, so that document rules do not see them. */
export interface TreeRule {
  readonly name: string;
  find(tree: FileTree, given?: GivenValues): Promise<TreeFindings>;
  /** The findings for what a single named file stands for, such as Chart.yaml for its chart. Returns `undefined` if the file is not of this rule's kind. */
  findNamed(tree: FileTree, file: string, given?: GivenValues): Promise<TreeFindings | undefined>;
}

/** The rules of a scan. Tree rules come first; document rules do not see files that they claim. `rulesWith` (rules.ts) adds rules to the built-in ones. */
export interface Rules {
  readonly trees: readonly TreeRule[];
  readonly documents: readonly DocumentRule[];
}

/** Values that the user gives to charts, like those of `helm install`. */
export interface GivenValues {
  readonly values: Readonly<Record<string, unknown>>;
  /** Called when a chart receives the values. */
  onChart(): void;
}

export interface TreeFindings {
  readonly findings: readonly Finding[];
  readonly warnings: readonly Warning[];
  /** Files that the rule has handled. No other rule sees them. */
  readonly claimed: ReadonlySet<string>;
}

export interface ScanResult {
  readonly findings: readonly Finding[];
  readonly warnings: readonly Warning[];
}
