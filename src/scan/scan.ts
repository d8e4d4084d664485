// Scans a directory: tree rules first, then each remaining manifest, document by document. A file is in memory only while it is examined.
import { addAll } from '../oci/add-all.ts';
import type { FileTree, Finding, GivenValues, Rules, ScanResult, Warning } from './contract.ts';
import type { OnScanEvent } from './events.ts';
import type { Substitutions } from './flux/substitutions.ts';
import { uniqueWarnings, withoutRepetition } from './repetition.ts';
import { doubtTestData } from './test-data.ts';

export interface ScanOptions {
  /** Default: the built-in rules (rules.ts). */
  readonly rules?: Rules;
  /** Values that the user gives to the charts. */
  readonly given?: GivenValues;
  readonly signal?: AbortSignal;
  readonly onEvent?: OnScanEvent;
}

const MANIFEST = /\.(?:ya?ml|json)$/i;

/**
 * Finds the images that the manifests below `directory` use. Findings are in the order of the files.
 * What is broken is omitted with a warning. Errors: FILE_UNREADABLE (there is no such directory); the signal's reason.
 */
export async function scan(directory: string, options: ScanOptions = {}): Promise<ScanResult> {
  // Loaded lazily: commands without a scan need not pay the start-up time of the parser and the rules.
  const { openFileTree } = await import('./file-tree.ts');
  const rules = options.rules ?? (await defaultRules());
  const warnings: Warning[] = [];
  const { cluesOf } = await import('./may-matter.ts');
  const tree = openFileTree(directory, (warning) => warnings.push(warning), cluesOf(rules.documents).mayMatter);
  const { withUnpacking } = await import('./encoded-text.ts');
  return await withUnpacking(() => scanTree(tree, { ...options, rules, warnings }));
}

/** The search for variables is loaded lazily: few trees contain variables. */
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
  const { rules, warnings, given, signal, onEvent } = options;
  const { findInText } = await import('./find-in-text.ts');
  const findings: Finding[] = [];
  const claimed = new Set<string>();
  for (const rule of rules.trees) {
    signal?.throwIfAborted();
    const found = await rule.find(tree, given);
    addAll(findings, found.findings);
    addAll(warnings, found.warnings);
    for (const file of found.claimed) {
      if (!claimed.has(file)) onEvent?.({ type: 'claimed', file, rule: rule.name });
      claimed.add(file);
    }
  }
  for (const file of tree.files) {
    const isClaimed = claimed.has(file);
    if (!MANIFEST.test(file) && !isClaimed) onEvent?.({ type: 'skipped', file });
    if (!MANIFEST.test(file) || (isClaimed && !tree.broken.has(file))) continue;
    signal?.throwIfAborted();
    // Of a claimed file, only the parts that did not parse are left, to be read line by line.
    const text = await tree.read(file);
    const substitutions = text.includes('${') ? await substitutionsOf(tree) : undefined;
    const environments = substitutions?.environmentsOf(file);
    const found = findInText(file, text, { rules: rules.documents, environments, isClaimed, onEvent });
    addAll(findings, found.findings);
    addAll(warnings, [...found.warnings, ...(substitutions?.warnings ?? [])]);
  }
  return { findings: withoutRepetition(findings.map(doubtTestData)), warnings: uniqueWarnings(warnings) };
}
