// Reads configuration files. A missing file is `undefined`; a broken one is an error that names the file.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type Json } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';
import { isFsError } from './fs-errors.ts';

/** The text of a file, without a byte order mark. Returns `undefined` if the file does not exist. Errors: FILE_UNREADABLE. */
export async function readIfThere(file: string): Promise<string | undefined> {
  return (await ifThere(file, () => readFile(file, 'utf8')))?.replace(/^\uFEFF/, '');
}

/** The names in a directory, in byte order; empty if the directory does not exist. Errors: FILE_UNREADABLE. */
export async function listIfThere(directory: string): Promise<readonly string[]> {
  return ((await ifThere(directory, () => readdir(directory))) ?? []).sort();
}

/** Full paths of the files with this extension in a drop-in directory. */
export async function dropIns(directory: string, extension: string): Promise<readonly string[]> {
  const names = await listIfThere(directory);
  return names.filter((name) => name.endsWith(extension) && !name.startsWith('.')).map((name) => join(directory, name));
}

/** Reads a JSON object. Returns `undefined` if the file does not exist, `{}` if it is empty. Errors: CONFIG_INVALID, FILE_UNREADABLE. */
export async function readJsonFile(file: string): Promise<Json | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without the cause: JSON.parse quotes the text that it cannot read, and that may be a password.
    throw new ImagesError('CONFIG_INVALID', `${file} is not JSON`, { hint: 'Correct the file, or remove it.' });
  }
  if (isObject(value)) return value;
  return isNothing(value) ? {} : invalid(file, 'does not hold an object');
}

/** Whether a value counts as unset: people and programs write `null`, `false`, `""`, `{}` and `[]` for that, whatever the type should be. */
export function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  if (typeof value === 'string') return value.trim() === '';
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Reads a TOML file. Returns `undefined` if it does not exist. Errors: CONFIG_INVALID, FILE_UNREADABLE. */
export async function readTomlFile(file: string): Promise<Json | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  const { parse } = await import('smol-toml');
  try {
    return parse(text);
  } catch (cause) {
    const line = cause instanceof Error && 'line' in cause ? ` (line ${cause.line})` : '';
    // Without the cause: it quotes lines, and headers in hosts.toml can be secrets.
    throw new ImagesError('CONFIG_INVALID', `${file} is not TOML${line}`, { hint: 'Correct the file, or remove it.' });
  }
}

/** Errors: CONFIG_INVALID. */
export function invalid(file: string, what: string): never {
  throw new ImagesError('CONFIG_INVALID', `${file} ${what}`, { hint: 'Correct the file, or remove it.' });
}

/** Readers for single fields. Their errors name the file. */
export function fieldsOf(file: string, fields: Json) {
  const read = <T>(name: string, kind: string, is: (value: unknown) => value is T): T | undefined => {
    const value = fields[name];
    if (value === undefined || value === null) return undefined;
    return is(value) ? value : invalid(file, `has a wrong value: ${name} is not ${kind}`);
  };
  return {
    string: (name: string) => read(name, 'a string', (value) => typeof value === 'string'),
    boolean: (name: string) => read(name, 'true or false', (value) => typeof value === 'boolean'),
    object: (name: string) => read(name, 'an object', isObject),
    objects: (name: string) =>
      read(name, 'a list of tables', (value): value is Json[] => Array.isArray(value) && value.every(isObject)) ?? [],
    strings: (name: string) =>
      read(name, 'a list of strings', (value): value is string[] => Array.isArray(value) && value.every(isString)) ??
      [],
  };
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

async function ifThere<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (cause) {
    if (isFsError(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    if (!isFsError(cause, 'EACCES', 'EPERM', 'EISDIR', 'ELOOP', 'EIO')) throw cause;
    throw new ImagesError('FILE_UNREADABLE', `cannot read ${path} [${cause.code}]`, { cause });
  }
}
