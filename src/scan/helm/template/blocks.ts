// What is known of the blocks of a template before they run: the entries of a range, whole lines, the names in a condition.
import type { Body, Expression, Pipe } from './parser.ts';
import { isDictionary } from './values.ts';
import { spendValues } from './work.ts';

/** What a range goes through, by key or number; of a number at most `maxCount`. */
export function rangeEntries(value: unknown, maxCount: number): readonly (readonly [unknown, unknown])[] {
  const entries = allEntries(value, maxCount);
  spendValues(entries.length);
  return entries;
}

function allEntries(value: unknown, maxCount: number): readonly (readonly [unknown, unknown])[] {
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  if (typeof value === 'number')
    return Array.from({ length: Math.max(0, Math.min(value, maxCount)) }, (_, index) => [index, index]);
  if (!isDictionary(value)) return [];
  return Object.keys(value)
    .sort()
    .map((key) => [key, value[key]]);
}

/** The values that a condition looks at, for people: `.Values.metrics.enabled`. */
export function describePipe(pipe: Pipe): string {
  const names = pipe.commands.flat().flatMap(namesOf);
  return [...new Set(names)].join(', ') || 'a condition of the template';
}

function namesOf(expression: Expression): readonly string[] {
  if (expression.kind === 'pipe') return expression.pipe.commands.flat().flatMap(namesOf);
  if (expression.kind === 'variable') return [expression.name];
  if (expression.kind !== 'fields') return [];
  const [of = ''] = namesOf(expression.of);
  return [`${of === '$' ? '' : of}.${expression.path.join('.')}`];
}

/** Only whole lines are explored: both sides of a condition inside one line would make texts that no chart means. */
export function hasLines(body: Body): boolean {
  const known = withLines.get(body);
  if (known !== undefined) return known;
  const has = body.some(
    (node) =>
      (node.kind === 'text' && node.text.includes('\n')) ||
      ('body' in node && (hasLines(node.body) || hasLines(node.otherwise))),
  );
  withLines.set(body, has);
  return has;
}

/** Loops ask for the same bodies each time. */
const withLines = new WeakMap<Body, boolean>();
