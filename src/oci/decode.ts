// Small readers for wire data: `unknown` in, typed values out, a path in every error.
import { ImagesError } from './errors.ts';

export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses UTF-8 JSON. Errors: MANIFEST_INVALID, naming `what`. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ImagesError('MANIFEST_INVALID', `${what} is not JSON`, { cause });
  }
}

export function object(value: unknown, path: string): Json {
  return isObject(value) ? value : refuse(value, path, 'an object');
}

export function array(value: unknown, path: string): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(value, path, 'an array');
}

export function string(value: unknown, path: string): string {
  return typeof value === 'string' ? value : refuse(value, path, 'a string');
}

/** A count of bytes: an integer from 0 to 2^53 - 1. */
export function size(value: unknown, path: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse(value, path, 'a whole number of bytes');
}

/** `undefined` and `null` are absent (Go programs write both); all else goes to the reader. */
export function optional<T>(value: unknown, path: string, read: (value: unknown, path: string) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value, path);
}

export function stringMap(value: unknown, path: string): Readonly<Record<string, string>> {
  const entries = object(value, path);
  for (const [key, entry] of Object.entries(entries)) string(entry, `${path}.${key}`);
  return entries as Readonly<Record<string, string>>;
}

export function strings(value: unknown, path: string): readonly string[] {
  return array(value, path).map((entry, index) => string(entry, `${path}[${index}]`));
}

function refuse(value: unknown, path: string, wanted: string): never {
  const seen = JSON.stringify(value)?.slice(0, 40) ?? 'nothing';
  throw new ImagesError('MANIFEST_INVALID', `${path} is not ${wanted} [${seen}]`);
}
