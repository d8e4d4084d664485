// Runs the document rules on one document, with parameters and variables filled in. Used for files, embedded texts and the output of kustomizations.
import type { DocumentRule, Finding, ScannedDocument, Warning } from './contract.ts';
import { filledIn, type KnownVariables } from './fill-in.ts';
import { isOtherFormat } from './other-formats.ts';

/** The findings of the rules. If the environment is in doubt, all of them are maybes. */
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
