// YAML as Helm reads and writes it: YAML 1.1's booleans and numbers, no times. Relies on js-yaml.
import {
  boolYaml11Tag,
  dump,
  FAILSAFE_SCHEMA,
  floatYaml11Tag,
  intYaml11Tag,
  loadAll,
  mergeTag,
  nullYaml11Tag,
  YAMLException,
} from 'js-yaml';
import { parseIndented } from '../../yaml-indentation.ts';
import { type Dictionary, dictionary, isDictionary } from './values.ts';

const SCHEMA = FAILSAFE_SCHEMA.withTags(nullYaml11Tag, boolYaml11Tag, intYaml11Tag, floatYaml11Tag, mergeTag);

/** The first document, as Go's unmarshalling reads it; null where there is none, `undefined` where the text does not parse. */
export function readYaml(text: string): unknown {
  try {
    return plain(parseIndented(text, (source) => loadAll(source, { schema: SCHEMA, json: true })[0] ?? null).parsed);
  } catch (error) {
    if (error instanceof YAMLException) return undefined;
    throw error;
  }
}

export function readDictionary(text: string): Dictionary {
  const value = readYaml(text);
  return isDictionary(value) ? value : dictionary();
}

/** sigs.k8s.io/yaml: keys sorted, no line is folded, no final line end. */
export function writeYaml(value: unknown): string {
  return dump(printable(value), { schema: SCHEMA, sortKeys: true, lineWidth: -1, noRefs: true }).trimEnd();
}

/** Functions and what JSON leaves out are no data. */
export function printable(value: unknown): unknown {
  if (typeof value === 'function' || value === undefined) return null;
  if (Array.isArray(value)) return value.map(printable);
  if (!isDictionary(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => typeof item !== 'function')
      .map(([key, item]) => [key, printable(item)]),
  );
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (!isDictionary(value)) return value;
  return dictionary(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
