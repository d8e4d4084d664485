// Values of a TOML file, checked: mistakes are told with where they stand.
import { ageOf } from '../../io/text/age.ts';
import { quote } from '../../io/text/quote.ts';
import type { Json } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';
import { lineOfKey } from './toml-lines.ts';

/** Where a mistake is: keys, and positions in lists. */
export type TomlPath = readonly (string | number)[];

/** Throws CONFIG_INVALID with file and line. */
export type Fail = (path: TomlPath, what: string, hint: string) => never;

export interface TomlMistake {
  /** From 1; absent if it is not known. */
  readonly line?: number;
  /** With its table: `proxy.ttl`. Absent for what is no TOML at all. */
  readonly key?: string;
  readonly error: ImagesError;
}

export interface TomlReading {
  readonly fail: Fail;
  /** What `read` returns; `undefined` if it fails, which is in `mistakes` then. */
  attempt<T>(read: () => T): T | undefined;
  readonly mistakes: readonly TomlMistake[];
}

/** More are not told: each is looked for in the whole file, and a server must not do that for long. */
const MOST_MISTAKES = 100;

export function tomlReading(file: string, text: string): TomlReading {
  const mistakes: TomlMistake[] = [];
  const made = new WeakMap<object, TomlMistake>();
  return {
    mistakes,
    fail: (path, what, hint) => {
      const line = mistakes.length < MOST_MISTAKES ? lineOfKey(text, path) : undefined;
      const where = line === undefined ? file : `${file}:${line}`;
      const error = new ImagesError('CONFIG_INVALID', `${where}: ${what}`, { hint });
      const key = path.filter((part) => typeof part === 'string').join('.');
      made.set(error, { key, error, ...(line !== undefined && { line }) });
      throw error;
    },
    attempt: (read) => {
      try {
        return read();
      } catch (error) {
        const mistake = error instanceof ImagesError ? made.get(error) : undefined;
        if (!mistake) throw error;
        if (mistakes.length < MOST_MISTAKES) mistakes.push(mistake);
        return undefined;
      }
    },
  };
}

export function ifGiven<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

export function shown(value: unknown): string {
  // JSON has no word for the numbers inf and nan.
  const isWord = typeof value === 'string' || typeof value === 'number';
  return quote(isWord ? String(value) : (JSON.stringify(value) ?? 'nothing'), 60);
}

export function trueOrFalse(value: unknown, path: TomlPath, fail: Fail): boolean {
  if (typeof value === 'boolean') return value;
  return fail(path, `${path.at(-1)} is neither true nor false [${shown(value)}]`, `Write ${path.at(-1)} = true.`);
}

export function listOfTexts(value: unknown, path: TomlPath, fail: Fail): readonly string[] {
  if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value;
  const key = path.at(-1);
  return fail(path, `${key} is not a list of texts [${shown(value)}]`, `Write ${key} = ["…", "…"].`);
}

/** In milliseconds. */
export function ageIn(value: unknown, path: TomlPath, fail: Fail): number {
  const ms = typeof value === 'string' ? ageOf(value) : undefined;
  return (
    ms ??
    fail(
      path,
      `${path.at(-1)} is not an age [${shown(value)}]`,
      'Write, in quotes, numbers with w, d, h, m or s after them: 30d, 5m.',
    )
  );
}

/** For the name of a file and the like. */
export function nonEmptyText(value: unknown, path: TomlPath, fail: Fail): string {
  if (typeof value === 'string' && value !== '') return value;
  const key = path.at(-1);
  return fail(path, `${key} is not a text [${shown(value)}]`, `Write, in quotes: ${key} = "…".`);
}

/** What a check for the command line says of a value: it is told with where it stands in the file. */
export function checkedBy<T>(check: () => T, path: TomlPath, fail: Fail, hint?: string): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ImagesError) || error.code !== 'USAGE') throw error;
    return fail(path, error.message, hint ?? error.hint ?? '');
  }
}

export function isTable(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** What is wrong is left out, and told. */
export function each<T>(
  values: readonly unknown[],
  { attempt }: Pick<TomlReading, 'attempt'>,
  read: (value: unknown, at: number) => T,
): readonly T[] {
  return values.flatMap((value, at) => {
    const found = attempt(() => ({ value: read(value, at) }));
    return found ? [found.value] : [];
  });
}
