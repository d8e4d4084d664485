// Runs the document rules on one text. scan() does so with a file, and the rule for embedded texts with a text inside a document.
import type { DocumentRule, Finding, Warning } from './contract.ts';
import type { OnScanEvent } from './events.ts';
import { type KnownVariables, PLAIN } from './fill-in.ts';
import { findInDocument } from './find-in-document.ts';
import { brokenFile, imageLines } from './lines.ts';
import { cluesOf } from './may-matter.ts';
import { uniqueWarnings, withoutRepetition } from './repetition.ts';
import { substitute } from './variables.ts';
import { parseYaml } from './yaml.ts';

export interface FoundInText {
  readonly findings: readonly Finding[];
  readonly warnings: readonly Warning[];
}

export interface FindInTextOptions {
  readonly rules: readonly DocumentRule[];
  readonly environments?: readonly KnownVariables[] | undefined;
  /** A tree rule has handled the documents of the file: only the parts that do not parse are left. */
  readonly isClaimed?: boolean;
  readonly onEvent?: OnScanEvent | undefined;
}

/** All findings in the text of a manifest. Parts that do not parse are read line by line. */
export function findInText(
  file: string,
  text: string,
  { rules, environments = PLAIN, isClaimed = false, onEvent }: FindInTextOptions,
): FoundInText {
  const findings: Finding[] = [];
  const warnings: Warning[] = [];
  const { mayMatter } = cluesOf(rules);
  const parsed = parseYaml(file, text, (part, line) => {
    const isWanted = mayMatter(part);
    if (!isWanted) onEvent?.({ type: 'not-parsed', file, line, size: part.length });
    return isWanted;
  });
  for (const document of parsed.documents) {
    if (!isClaimed) sort(findInDocument(document, rules, environments), { findings, warnings });
  }
  // Databases and editors write files that are called `.json` but are not JSON. They are ignored unless they mention an image.
  const broken = parsed.broken.filter((part) => !file.endsWith('.json') || /image/i.test(part.text));
  const placeholders: Warning[] = [];
  for (const part of broken) {
    for (const { variables } of environments) {
      sort(imageLines(file, { ...part, text: substitute(part.text, variables) }), { findings, warnings: placeholders });
    }
  }
  const warning = brokenFile(file, broken, placeholders);
  if (warning) warnings.push(warning);
  onEvent?.({ type: 'read', file, documents: parsed.documents.length, found: countByRule(findings) });
  return { findings: withoutRepetition(findings), warnings: uniqueWarnings(warnings) };
}

function countByRule(findings: readonly Finding[]): Readonly<Record<string, number>> {
  const byRule = Map.groupBy(findings, ({ rule }) => rule);
  return Object.fromEntries([...byRule].map(([rule, { length }]) => [rule, length]));
}

function sort(
  found: Iterable<Finding | Warning>,
  into: { readonly findings: Finding[]; readonly warnings: Warning[] },
): void {
  for (const one of found) {
    if ('image' in one) into.findings.push({ ...one, image: detached(one.image) });
    else into.warnings.push(one);
  }
}

/** Makes a copy. A substring would keep the whole text of the file in memory, and findings live longer than the files. */
function detached(text: string): string {
  return Buffer.from(text).toString();
}
