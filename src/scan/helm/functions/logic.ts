// Template functions for comparison, choice and types.
import { TemplateError } from '../template/errors.ts';
import { areEqual, isDictionary, isTrue, isUnknown, kindOf, print, typeOf, UNKNOWN } from '../template/values.ts';
import type { FunctionTable } from './function-table.ts';

export const logicFunctions: FunctionTable = {
  not: ([value]) => !isTrue(value),
  eq: ([first, ...others]) => others.some((other) => areBasicEqual(first, other)),
  ne: ([a, b]) => !areBasicEqual(a, b),
  lt: ([a, b]) => compare(a, b) < 0,
  le: ([a, b]) => compare(a, b) <= 0,
  gt: ([a, b]) => compare(a, b) > 0,
  ge: ([a, b]) => compare(a, b) >= 0,
  deepEqual: ([a, b]) => areEqual(a, b),
  default: ([fallback, value]) => (isTrue(value) ? value : fallback),
  empty: ([value]) => !isTrue(value),
  coalesce: (args) => args.find((arg) => isUnknown(arg) || isTrue(arg)),
  ternary: ([yes, no, condition]) => (isTrue(condition) ? yes : no),
  all: (args) => args.every(isTrue),
  any: (args) => args.some(isTrue),
  kindOf: ([value]) => (isWholeUnknown(value) ? UNKNOWN : kindOf(value)),
  kindIs: ([kind, value]) => (isWholeUnknown(value) ? UNKNOWN : isKind(print(kind), value)),
  typeOf: ([value]) => (isWholeUnknown(value) ? UNKNOWN : typeOf(value)),
  typeIs: ([type, value]) => typeOf(value) === print(type),
  typeIsLike: ([type, value]) => typeOf(value) === print(type) || typeOf(value) === `*${print(type)}`,
};

function isWholeUnknown(value: unknown): boolean {
  return typeof value === 'string' && isUnknown(value);
}

/** Depending on Helm's version, numbers from YAML are float64 or int64. Both kinds match. */
function isKind(kind: string, value: unknown): boolean {
  const actual = kindOf(value);
  if (actual === 'int64' || actual === 'float64') return kind === actual || kind === 'float64' || kind === 'int';
  return kind === actual;
}

function areBasicEqual(a: unknown, b: unknown): boolean {
  if (typeof a === 'object' || typeof b === 'object') return (a ?? undefined) === (b ?? undefined) || areEqual(a, b);
  return a === b || (a ?? undefined) === (b ?? undefined);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (isDictionary(a) || isDictionary(b)) throw new TemplateError('incompatible types for comparison');
  return Number(print(a)) - Number(print(b));
}
