// What several rules, or several readings of one file, say of one place is said once.
import type { Finding, Warning } from './contract.ts';

/** A sure finding outweighs a maybe of the same place. */
export function withoutRepetition(findings: Iterable<Finding>): Finding[] {
  const byPlace = new Map<string, Finding>();
  for (const finding of findings) {
    const { file, line, path } = finding.place;
    const key = `${file}\n${line}\n${path}\n${finding.image}`;
    const known = byPlace.get(key);
    if (!known || (known.certainty === 'maybe' && finding.certainty === 'used')) byPlace.set(key, finding);
  }
  return [...byPlace.values()];
}

/** The same text of one file is told once, of its first line. */
export function uniqueWarnings(warnings: Iterable<Warning>): Warning[] {
  const byText = new Map<string, Warning>();
  for (const warning of warnings) {
    const key = `${warning.file}\n${warning.text}`;
    if (!byText.has(key)) byText.set(key, warning);
  }
  return [...byText.values()];
}
