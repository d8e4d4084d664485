// One text through the document rules: what scan() does with a file, and embedded texts with their documents.
import type { DocumentRule, Finding, Warning } from './contract.ts';
import { brokenText, imageLines } from './lines.ts';
import { mayMatter } from './may-matter.ts';
import { fillInTemplate } from './openshift-template.ts';
import { isOtherFormat } from './other-formats.ts';
import { uniqueWarnings, withoutRepetition } from './repetition.ts';
import { parseYaml } from './yaml.ts';

export interface Found {
  readonly findings: readonly Finding[];
  readonly warnings: readonly Warning[];
}

/** Everything that the rules find in the text of a manifest; parts that do not parse are read line by line. */
export function findInText(file: string, text: string, rules: readonly DocumentRule[]): Found {
  const findings: Finding[] = [];
  const warnings: Warning[] = [];
  const parsed = parseYaml(file, text, mayMatter);
  for (const document of parsed.documents.map(fillInTemplate)) {
    if (isOtherFormat(document.value)) continue;
    for (const rule of rules) {
      if (rule.matches(document)) sort(rule.find(document), { findings, warnings });
    }
  }
  for (const part of parsed.broken) {
    // What databases and editors call JSON: nobody looks for an image there.
    if (file.endsWith('.json') && !/image/i.test(part.text)) continue;
    warnings.push({ file, line: part.line, text: brokenText(part) });
    sort(imageLines(file, part), { findings, warnings });
  }
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
