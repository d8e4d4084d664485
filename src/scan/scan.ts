// The scan of a directory: tree rules first, then every remaining manifest, document by document. Each file is in memory only while it is looked at.
import { addAll } from '../oci/add-all.ts';
import type { FileTree, Finding, GivenValues, Rules, ScanResult, Warning } from './contract.ts';
import type { Substitutions } from './flux/substitutions.ts';
import { uniqueWarnings, withoutRepetition } from './repetition.ts';
import { doubtTestData } from './test-data.ts';

export interface ScanOptions {
  /** Default: all of rules.ts. */
  readonly rules?: Rules;
  /** Values for the charts. */
  readonly given?: GivenValues;
  readonly signal?: AbortSignal;
}

const MANIFEST = /\.(?:ya?ml|json)$/i;

/**
 * Finds the images that the manifests below `directory` use. Findings are in the order of their files.
 * What is broken is left out with a warning. Errors: FILE_UNREADABLE where there is no such directory; ABORTED through `signal`.
 */
export async function scan(directory: string, options: ScanOptions = {}): Promise<ScanResult> {
  // The parser and the rules cost start-up time that commands without a scan need not pay.
  const { openFileTree } = await import('./file-tree.ts');
  const rules = options.rules ?? (await defaultRules());
  const warnings: Warning[] = [];
  const tree = openFileTree(directory, (warning) => warnings.push(warning));
  const { withUnpacking } = await import('./encoded-text.ts');
  return await withUnpacking(() => scanTree(tree, { ...options, rules, warnings }));
}

/** Few trees have variables in them: others do not load what finds out who sets them. */
async function substitutionsOf(tree: FileTree): Promise<Substitutions> {
  const { fluxSubstitutions } = await import('./flux/substitutions.ts');
  return await fluxSubstitutions(tree);
}

async function defaultRules(): Promise<Rules> {
  return (await import('./rules.ts')).SCAN_RULES;
}

async function scanTree(
  tree: FileTree,
  options: ScanOptions & { readonly rules: Rules; readonly warnings: Warning[] },
): Promise<ScanResult> {
  const { rules, warnings, given, signal } = options;
  const { findInText } = await import('./find-in-text.ts');
  const findings: Finding[] = [];
  const claimed = new Set<string>();
  for (const rule of rules.trees) {
    signal?.throwIfAborted();
    const found = await rule.find(tree, given);
    addAll(findings, found.findings);
    addAll(warnings, found.warnings);
    for (const file of found.claimed) claimed.add(file);
  }
  for (const file of tree.files) {
    const isClaimed = claimed.has(file);
    if (!MANIFEST.test(file) || (isClaimed && !tree.broken.has(file))) continue;
    signal?.throwIfAborted();
    // Of a claimed file only the lines are left that nobody could read otherwise.
    const text = await tree.read(file);
    const substitutions = text.includes('${') ? await substitutionsOf(tree) : undefined;
    const found = findInText(file, text, isClaimed ? [] : rules.documents, substitutions?.environmentsOf(file));
    addAll(findings, found.findings);
    addAll(warnings, [...found.warnings, ...(substitutions?.warnings ?? [])]);
  }
  return { findings: withoutRepetition(findings.map(doubtTestData)), warnings: uniqueWarnings(warnings) };
}
