// What a document is when what it leaves open is put in: the parameters of its objects, the variables of its texts. Relies on parameters/ and variables.ts.
import type { ScannedDocument } from './contract.ts';
import { asFields, valueAt } from './fields.ts';
import { withParameters } from './parameters/fill-in.ts';
import { NO_VARIABLES, substitute, type Variables } from './variables.ts';

/** What variables stand for, for whom a text is read. */
export interface Environment {
  readonly variables: Variables;
  /** Why it may be another one. */
  readonly doubt?: string;
}

/** Nobody sets anything: what a text itself says of its variables counts. */
export const PLAIN: readonly Environment[] = [{ variables: NO_VARIABLES }];

export interface Filled {
  readonly document: ScannedDocument;
  readonly doubt?: string;
}

/** The documents that this one stands for: one, but for parts that are used in several ways, in each of the environments. */
export function* filledIn(document: ScannedDocument, environments: readonly Environment[] = PLAIN): Iterable<Filled> {
  for (const one of withParameters(document)) {
    if (!mayHaveVariables(one)) yield { document: one };
    else
      for (const { variables, doubt } of environments)
        yield { document: withVariables(one, variables), ...(doubt !== undefined && { doubt }) };
  }
}

/** Not schemas, whose descriptions have any signs, and not what tells Flux to leave it (fluxcd.io/flux/components/kustomize/kustomizations, "Post build"). */
function mayHaveVariables({ value, source }: ScannedDocument): boolean {
  if (source !== undefined && !source.includes('${')) return false;
  if (asFields(value)?.kind === 'CustomResourceDefinition') return false;
  return valueAt(value, 'metadata', 'annotations', 'kustomize.toolkit.fluxcd.io/substitute') !== 'disabled';
}

function withVariables(document: ScannedDocument, variables: Variables): ScannedDocument {
  const value = mapTexts(document.value, { left: MAX_VALUES, depth: 0, change: (text) => substitute(text, variables) });
  return value === document.value ? document : { ...document, value };
}

/** As for visits: aliases share values, so a small file can unfold to billions of them, or hold itself. */
const MAX_VALUES = 1_000_000;
const MAX_DEPTH = 300;

interface Mapping {
  left: number;
  depth: number;
  readonly change: (text: string) => string;
}

/** The same objects where nothing in them changes. */
function mapTexts(value: unknown, mapping: Mapping): unknown {
  if (mapping.left-- <= 0) return value;
  if (typeof value === 'string') return mapping.change(value);
  if (typeof value !== 'object' || value === null || mapping.depth > MAX_DEPTH) return value;
  mapping.depth++;
  const mapped = Array.isArray(value)
    ? mappedList(value, mapping)
    : mappedFields(value as Record<string, unknown>, mapping);
  mapping.depth--;
  return mapped;
}

function mappedList(list: readonly unknown[], mapping: Mapping): readonly unknown[] {
  const mapped = list.map((item) => mapTexts(item, mapping));
  return mapped.every((item, index) => item === list[index]) ? list : mapped;
}

function mappedFields(fields: Record<string, unknown>, mapping: Mapping): Record<string, unknown> {
  const mapped = Object.entries(fields).map(([key, item]) => [key, mapTexts(item, mapping)] as const);
  return mapped.every(([key, item]) => item === fields[key]) ? fields : Object.fromEntries(mapped);
}
