// Reads and writes YAML like Helm: YAML 1.1 booleans and numbers, no timestamps. Relies on js-yaml.
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

/** The first document, like Go's unmarshalling. Returns `null` if there is none, `undefined` if the text does not parse. */
export function readYaml(text: string): unknown {
  try {
    const { text: source, parsed: events } = parseIndented(text, parseBounded);
    return plain(constructFromEvents(events, { source, schema: SCHEMA, json: true })[0] ?? null);
  } catch (error) {
    // Deeply nested flow collections can exhaust the stack before the depth limit applies.
    if (error instanceof YAMLException || error instanceof RangeError) return undefined;
    throw error;
  }
}

export function readDictionary(text: string): Dictionary {
  const value = readYaml(text);
  return isDictionary(value) ? value : dictionary();
}

/** Like sigs.k8s.io/yaml: sorted keys, no folded lines, no line end at the end. */
export function writeYaml(value: unknown): string {
  return boundedText(dump(printable(value), { schema: SCHEMA, sortKeys: true, lineWidth: -1, noRefs: true }).trimEnd());
}

/** Leaves functions out of maps. Elsewhere they become null, and so does `undefined`. */
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
