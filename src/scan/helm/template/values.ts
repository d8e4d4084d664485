// The values of Go templates in JavaScript: truth, printing, kinds, comparison. An unknown value is a text that contains a mark.
import { spendValues, spendWork } from './work.ts';

/** The mark for an unknown part of a text (a release's secret, a required value, the template of a missing dependency). */
export const UNKNOWN = '\ue000';
/** The mark before text that is in the output only under an unknown condition. */
export const DOUBT = '\ue001';

export type Dictionary = Record<string, unknown>;

export function isDictionary(value: unknown): value is Dictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Makes a dictionary without JavaScript's inherited properties: `{{ .constructor }}` finds nothing in it. */
export function dictionary(entries: Iterable<readonly [string, unknown]> = []): Dictionary {
  const made: Dictionary = Object.create(null);
  for (const [key, value] of entries) made[key] = value;
  return made;
}

export function isUnknown(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(UNKNOWN) || value.includes(DOUBT);
  return Array.isArray(value) && value.some((item) => typeof item === 'string' && isUnknown(item));
}

/** text/template's truth: false for empty values and zero values. */
export function isTrue(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === 0 || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return isDictionary(value) ? keysOf(value).length > 0 : true;
}

/** Cost of one key, in characters. Collecting keys is slower than reading text. */
const KEY = 20;

/** Object.keys, charged to the budget. */
export function keysOf(value: Dictionary): readonly string[] {
  const keys = Object.keys(value);
  spendWork(keys.length * KEY);
  return keys;
}

/** fmt's `%v`. Like Helm, prints nothing for a missing value. */
export function print(value: unknown): string {
  if (value === null || value === undefined) return '';
  return printInner(value);
}

function printInner(value: unknown): string {
  spendValues(1);
  if (typeof value === 'string') spendWork(value.length);
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'number') return printNumber(value);
  if (Array.isArray(value)) return `[${value.map(printInner).join(' ')}]`;
  if (typeof value === 'function') return UNKNOWN;
  if (!isDictionary(value)) return String(value);
  if (typeof value.String === 'function') return String(value.String());
  return `map[${Object.keys(value)
    .sort()
    .map((key) => `${key}:${printInner(value[key])}`)
    .join(' ')}]`;
}

function printNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value).toString() : String(value);
}

/** reflect's kind, with the names of `kindOf`. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'invalid';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (Array.isArray(value)) return 'slice';
  return typeof value === 'function' ? 'func' : 'map';
}

export function typeOf(value: unknown): string {
  const kind = kindOf(value);
  if (kind === 'invalid') return '<nil>';
  if (kind === 'slice') return '[]interface {}';
  return kind === 'map' ? 'map[string]interface {}' : kind;
}

export function areEqual(a: unknown, b: unknown): boolean {
  spendValues(1);
  if (a === b || (a ?? null) === (b ?? null)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => areEqual(item, b[index]));
  }
  if (!isDictionary(a) || !isDictionary(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && areEqual(a[key], b[key]));
}

export function copyOf<T>(value: T): T {
  spendValues(1);
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (!isDictionary(value)) return value;
  const copy = dictionary();
  for (const key of Object.keys(value)) copy[key] = copyOf(value[key]);
  return copy as T;
}

/** cast.ToInt64 and its variants: 0 if the value is not a number. */
export function toNumber(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : 0;
  return Number.isFinite(number) ? number : 0;
}

export function toInteger(value: unknown): number {
  return Math.trunc(toNumber(value));
}
