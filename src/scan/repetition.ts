// Removes duplicates: several rules, or several readings of one file, may report the same position.
import type { Finding, Warning } from './contract.ts';

/** A certain finding outweighs a maybe at the same position. */
export function withoutRepetition(findings: Iterable<Finding>): Finding[] {
  const byPosition = new Map<string, Finding>();
  for (const finding of findings) {
    const { file, line, path } = finding.position;
    const key = `${file}\n${line}\n${path}\n${finding.image}`;
    const known = byPosition.get(key);
    if (!known || (known.certainty === 'maybe' && finding.certainty === 'used')) byPosition.set(key, finding);
  }
  return [...byPosition.values()];
}

/** Maximum number of warnings for one file. The last one says how many more there are. */
const MAX_WARNINGS_A_FILE = 5;

/** Reports the same text once for each file, with its first line. Of many different texts only the first few. */
export function uniqueWarnings(warnings: Iterable<Warning>): Warning[] {
  const byFile = new Map<string, Map<string, Warning>>();
  for (const warning of warnings) {
    const known = byFile.get(warning.file) ?? new Map<string, Warning>();
    if (!known.has(warning.text)) known.set(warning.text, warning);
    byFile.set(warning.file, known);
  }
  return [...byFile.values()].flatMap((byText) => shortened([...byText.values()]));
}

function shortened(warnings: readonly Warning[]): readonly Warning[] {
  if (warnings.length <= MAX_WARNINGS_A_FILE) return warnings;
  const shown = warnings.slice(0, MAX_WARNINGS_A_FILE - 1);
  const [next] = warnings.slice(shown.length);
  return next
    ? [...shown, { ...next, text: `${next.text} (and ${warnings.length - shown.length - 1} more of this file)` }]
    : shown;
}
