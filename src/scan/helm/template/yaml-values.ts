// YAML as Helm reads and writes it: YAML 1.1's booleans and numbers, no times. Relies on js-yaml.
import {
  boolYaml11Tag,
  constructFromEvents,
  dump,
  FAILSAFE_SCHEMA,
  floatYaml11Tag,
  intYaml11Tag,
  mergeTag,
  nullYaml11Tag,
  YAMLException,
} from 'js-yaml';
import { parseIndented } from '../../yaml-indentation.ts';
import { parseBounded } from '../../yaml-limits.ts';
import { type Dictionary, dictionary, isDictionary } from './values.ts';
import { boundedText, spendValues, spendWork } from './work.ts';

const SCHEMA = FAILSAFE_SCHEMA.withTags(nullYaml11Tag, boolYaml11Tag, intYaml11Tag, floatYaml11Tag, mergeTag);

/** The first document, as Go's unmarshalling reads it; null where there is none, `undefined` where the text does not parse. */
export function readYaml(text: string): unknown {
  try {
    const { text: source, parsed: events } = parseIndented(text, parseBounded);
    return plain(constructFromEvents(events, { source, schema: SCHEMA, json: true })[0] ?? null);
  } catch (error) {
    // Deep flow collections can exhaust the stack before the depth is counted.
    if (error instanceof YAMLException || error instanceof RangeError) return undefined;
    throw error;
  }
}

export function readDictionary(text: string): Dictionary {
  const value = readYaml(text);
  return isDictionary(value) ? value : dictionary();
}

/** sigs.k8s.io/yaml: keys sorted, no line is folded, no final line end. */
export function writeYaml(value: unknown): string {
  return boundedText(dump(printable(value), { schema: SCHEMA, sortKeys: true, lineWidth: -1, noRefs: true }).trimEnd());
}

/** Functions and what JSON leaves out are no data. */
export function printable(value: unknown): unknown {
  spendValues(1);
  if (typeof value === 'string') spendWork(value.length);
  if (typeof value === 'function' || value === undefined) return null;
  if (Array.isArray(value)) return value.map(printable);
  if (!isDictionary(value)) return value;
  const fields = dictionary();
  for (const [key, item] of Object.entries(value)) if (typeof item !== 'function') fields[key] = printable(item);
  return fields;
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (!isDictionary(value)) return value;
  return dictionary(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
