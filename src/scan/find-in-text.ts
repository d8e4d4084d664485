// Runs the document rules on one text. scan() does so with a file, and the rule for embedded texts with a text inside a document.
import type { DocumentRule, Finding, Warning } from './contract.ts';
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
}

/** All findings in the text of a manifest. Parts that do not parse are read line by line. */
export function findInText(
  file: string,
  text: string,
  { rules, environments = PLAIN, isClaimed = false }: FindInTextOptions,
): FoundInText {
  const findings: Finding[] = [];
  const warnings: Warning[] = [];
  const parsed = parseYaml(file, text, cluesOf(rules).mayMatter);
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
  return { findings: withoutRepetition(findings), warnings: uniqueWarnings(warnings) };
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
