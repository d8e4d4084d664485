// Values of a TOML file, checked: mistakes are told with where they stand.
import { quote } from '../../io/text/quote.ts';
import type { Json } from '../../oci/decode.ts';

/** Where a mistake is: keys, and positions in lists. */
export type TomlPath = readonly (string | number)[];

/** Throws CONFIG_INVALID with file and line. */
export type Fail = (path: TomlPath, what: string, hint: string) => never;

export function refuseUnknown(table: Json, path: TomlPath, known: readonly string[], fail: Fail): void {
  const unknown = Object.keys(table).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  fail([...path, unknown], `unknown key [${quote(unknown, 40)}]`, `Known here: ${known.join(', ')}.`);
}

export function ifGiven<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

export function shown(value: unknown): string {
  return quote(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'), 60);
}
