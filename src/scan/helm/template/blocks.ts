// Static properties of a template's blocks: the entries of a range, whether a body has whole lines, the names in a condition.
import type { Body, Expression, Pipe } from './parser.ts';
import { isDictionary } from './values.ts';
import { spendValues } from './work.ts';

/** The keys and values over which a range iterates. For a number, at most `maxCount` entries. */
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

/** The values in a condition, in readable form: `.Values.metrics.enabled`. */
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

/** Whether a body has whole lines. Only those are explored: both sides of a condition within one line would form a text that the chart never produces. */
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

/** Cache: loops ask for the same bodies each time. */
const withLines = new WeakMap<Body, boolean>();
