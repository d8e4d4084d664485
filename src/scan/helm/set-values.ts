// Values as in Helm's `--set a.b[0].c=v,d={x,y}` (helm.sh/docs/intro/using_helm, "The Format and Limitations of --set").
import { ImagesError } from '../../oci/errors.ts';
import { type Dictionary, dictionary, isDictionary } from './template/values.ts';

/** Helm's own limits for the length of lists and the depth of nesting. */
const MAX_INDEX = 65_536;
const MAX_DEPTH = 30;

/** Sets the values that the text gives. With `isString` all are texts, otherwise numbers, booleans and null are recognised. Errors: USAGE. */
export function setValues(values: Dictionary, text: string, { isString = false } = {}): void {
  const reader = { text, at: 0 };
  while (reader.at < text.length) {
    const keys = readKeys(reader);
    const value = readValue(reader, isString);
    setAt(values, keys, value);
  }
}

/** Sets one literal value at a path, for Flux's `targetPath` and Argo CD's parameters. Errors: USAGE. */
export function setAtPath(
  values: Dictionary,
  path: string,
  { value, isString = false }: { readonly value: string; readonly isString?: boolean },
): void {
  setAt(values, readKeys({ text: `${path}=`, at: 0 }), typed(value, isString));
}

interface Reader {
  readonly text: string;
  at: number;
}

type Key = string | number;

/** Reads the keys up to and including the `=`. */
function readKeys(reader: Reader): readonly Key[] {
  const keys: Key[] = [];
  const begin = reader.at;
  do {
    const key = readUntil(reader, '.[=,');
    if (key === '') throw refused(reader, begin);
    keys.push(key);
    while (isTaken(reader, '[')) {
      const index = readUntil(reader, ']');
      if (!isTaken(reader, ']') || !/^\d{1,5}$/.test(index) || Number(index) > MAX_INDEX) throw refused(reader, begin);
      keys.push(Number(index));
    }
  } while (isTaken(reader, '.'));
  if (!isTaken(reader, '=') || keys.length > MAX_DEPTH) throw refused(reader, begin);
  return keys;
}

function isTaken(reader: Reader, mark: string): boolean {
  const isHere = reader.text[reader.at] === mark;
  if (isHere) reader.at++;
  return isHere;
}

/** Reads a value up to and including the comma. */
function readValue(reader: Reader, isString: boolean): unknown {
  if (reader.text[reader.at] !== '{') {
    const text = readUntil(reader, ',');
    reader.at++;
    return typed(text, isString);
  }
  const begin = reader.at++;
  const list: unknown[] = [];
  for (;;) {
    const text = readUntil(reader, ',}');
    const mark = reader.text[reader.at++];
    if (mark === undefined) throw refused(reader, begin);
    if (mark === ',' || text !== '' || list.length > 0) list.push(typed(text, isString));
    if (mark === '}') break;
  }
  if (!isTaken(reader, ',') && reader.at < reader.text.length) throw refused(reader, begin);
  return list;
}

/** A backslash escapes the next character. */
function readUntil(reader: Reader, marks: string): string {
  let text = '';
  for (; reader.at < reader.text.length; reader.at++) {
    const character = reader.text[reader.at] as string;
    if (character === '\\') text += reader.text[++reader.at] ?? '';
    else if (marks.includes(character)) break;
    else text += character;
  }
  return text;
}

function typed(text: string, isString: boolean): unknown {
  if (isString) return text;
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  return /^(?:0|-?[1-9]\d*)$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text;
}

function setAt(values: Dictionary, keys: readonly Key[], value: unknown): void {
  let holder: Dictionary | unknown[] = values;
  for (const [index, key] of keys.entries()) {
    const fields = holder as Record<Key, unknown>;
    if (index === keys.length - 1) {
      fields[key] = value;
      return;
    }
    const next = fields[key];
    const isList = typeof keys[index + 1] === 'number';
    const inner: Dictionary | unknown[] = (isList ? Array.isArray(next) : isDictionary(next))
      ? (next as Dictionary | unknown[])
      : isList
        ? []
        : dictionary();
    fields[key] = inner;
    holder = inner;
  }
}

function refused({ text }: Reader, begin: number): ImagesError {
  return new ImagesError('USAGE', `not a value of a chart [${text.slice(begin)}]`, {
    hint: 'Write NAME=VALUE, several with commas between: image.tag=1.2,list={a,b},items[0].name=x.',
  });
}
