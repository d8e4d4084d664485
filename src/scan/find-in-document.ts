// One document through the document rules, with what it leaves open put in. Files, texts in texts and what kustomizations make all come by here.
import type { DocumentRule, Finding, ScannedDocument, Warning } from './contract.ts';
import { filledIn, type KnownVariables } from './fill-in.ts';
import { isOtherFormat } from './other-formats.ts';

/** What the rules find; with an environment that is in doubt, all is. */
export function* findInDocument(
  document: ScannedDocument,
  rules: readonly DocumentRule[],
  environments?: readonly KnownVariables[],
): Iterable<Finding | Warning> {
  if (isOtherFormat(document.value)) return;
  for (const one of filledIn(document, environments)) {
    if (!('document' in one)) {
      yield one;
      continue;
    }
    const { document: filled, doubt } = one;
    for (const rule of rules) {
      if (!rule.matches(filled)) continue;
      for (const found of rule.find(filled)) {
        if (doubt === undefined || !('image' in found)) yield found;
        else yield { ...found, certainty: 'maybe', reason: found.reason ?? doubt };
      }
    }
  }
}
