// Reads plain data from a file: own fields only, without assumptions about their types.
import type { Path } from './contract.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** The value's own field, never one of its prototype. */
export function fieldOf(value: unknown, name: string): unknown {
  const fields = asFields(value);
  return fields && Object.hasOwn(fields, name) ? fields[name] : undefined;
}

export function textOf(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === 'string' ? field : undefined;
}

/** A text, or a number in the way it was written, such as `version: 8.11`. */
export function scalarOf(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === 'string' || typeof field === 'number' ? String(field) : undefined;
}

export function listOf(value: unknown, name: string): readonly unknown[] {
  const field = fieldOf(value, name);
  return Array.isArray(field) ? field : [];
}

/** The value that these keys lead to. */
export function valueAt(value: unknown, ...keys: Path): unknown {
  let at = value;
  for (const key of keys) at = Array.isArray(at) && typeof key === 'number' ? at[key] : fieldOf(at, String(key));
  return at;
}
