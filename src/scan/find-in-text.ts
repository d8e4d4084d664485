// One text through the document rules: what scan() does with a file, and embedded texts with their documents.
import type { DocumentRule, Finding, Warning } from './contract.ts';
import { type KnownVariables, PLAIN } from './fill-in.ts';
import { findInDocument } from './find-in-document.ts';
import { brokenFile, imageLines } from './lines.ts';
import { mayMatter } from './may-matter.ts';
import { uniqueWarnings, withoutRepetition } from './repetition.ts';
import { substitute } from './variables.ts';
import { parseYaml } from './yaml.ts';

export interface FoundInText {
  readonly findings: readonly Finding[];
  readonly warnings: readonly Warning[];
}

/** Everything that the rules find in the text of a manifest; parts that do not parse are read line by line. */
export function findInText(
  file: string,
  text: string,
  rules: readonly DocumentRule[],
  environments: readonly KnownVariables[] = PLAIN,
): FoundInText {
  const findings: Finding[] = [];
  const warnings: Warning[] = [];
  const parsed = parseYaml(file, text, mayMatter);
  for (const document of parsed.documents) {
    if (rules.length > 0) sort(findInDocument(document, rules, environments), { findings, warnings });
  }
  // What databases and editors call JSON: nobody looks for an image there.
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

/** A copy: the engine keeps the whole text of a file alive for a part of it, and findings outlive the files. */
function detached(text: string): string {
  return Buffer.from(text).toString();
}
