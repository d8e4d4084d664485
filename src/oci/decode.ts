// Small readers for wire data: `unknown` in, typed values out, a path in every error.
import { ImagesError } from './errors.ts';

export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The deepest nesting that is accepted. No real document comes near it, and recursive code that writes or walks a value must not overflow its stack. */
const MAX_DEPTH = 1000;

/** Keeps a byte order mark, so that JSON.parse refuses it: registries and runtimes refuse it as well (RFC 8259, section 8.1). */
const TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Parses UTF-8 JSON. Errors: MANIFEST_INVALID, naming `what`. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  if (isNestedDeeper(bytes, MAX_DEPTH)) {
    throw new ImagesError('MANIFEST_INVALID', `${what} is nested in more than ${MAX_DEPTH} levels`);
  }
  try {
    return JSON.parse(TEXT.decode(bytes));
  } catch (cause) {
    const why = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? ': it begins with a byte order mark' : '';
    throw new ImagesError('MANIFEST_INVALID', `${what} is not JSON${why}`, { cause });
  }
}

/** Looks at the bytes only: parsing a few megabytes of brackets would take seconds. */
function isNestedDeeper(bytes: Uint8Array, limit: number): boolean {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) isText = !isText;
    else if (isText) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === LIST || byte === OBJECT) depth++;
    else if (byte === LIST + 2 || byte === OBJECT + 2) depth--;
    if (depth > limit) return true;
  }
  return false;
}

const [QUOTE, BACKSLASH, LIST, OBJECT] = ['"', '\\', '[', '{'].map((char) => char.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
];

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

/** Returns `undefined` for `undefined` and `null` (Go programs write both for an absent field); any other value goes to `read`. */
export function optional<T>(value: unknown, path: string, read: (value: unknown, path: string) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value, path);
}

export function stringMap(value: unknown, path: string): Readonly<Record<string, string>> {
  const entries = Object.entries(object(value, path));
  return Object.fromEntries(entries.map(([key, entry]) => [key, stringOrNull(entry, `${path}.${key}`)]));
}

export function strings(value: unknown, path: string): readonly string[] {
  return array(value, path).map((entry, index) => stringOrNull(entry, `${path}[${index}]`));
}

/** Reads a string; `null` is the empty string. In a list or map of strings Go decodes it so, and with it registries and runtimes. */
function stringOrNull(value: unknown, path: string): string {
  return value === null ? '' : string(value, path);
}

function refuse(value: unknown, path: string, wanted: string): never {
  throw new ImagesError('MANIFEST_INVALID', `${path} is not ${wanted} [${inShort(value)}]`);
}

/** A value for an error message, cut to a bounded length. */
function inShort(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (Array.isArray(value)) return value.length === 0 ? '[]' : 'a list';
  return isObject(value) ? 'an object' : `${value ?? (value === null ? 'null' : 'nothing')}`;
}
