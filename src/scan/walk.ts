// Every value of a document with the way that leads to it; rules ask for the same list, so it is made once a document.
import type { Path, ScannedDocument } from './contract.ts';

export type Fields = Readonly<Record<string, unknown>>;

export interface Visit {
  /** Key in the parent; undefined for the document itself. */
  readonly key: string | number | undefined;
  readonly value: unknown;
  readonly parent: Visit | undefined;
  readonly depth: number;
}

/** Aliases share values, so a small file can unfold to billions of them ("billion laughs"), or hold itself. */
const MAX_VISITS = 1_000_000;
const MAX_DEPTH = 300;

const visitsByDocument = new WeakMap<ScannedDocument, readonly Visit[]>();

/** All values of the document, parents before children, in the order in which they are written. */
export function visitsOf(document: ScannedDocument): readonly Visit[] {
  const known = visitsByDocument.get(document);
  if (known) return known;
  const visits: Visit[] = [];
  collect({ key: undefined, value: document.value, parent: undefined, depth: 0 }, visits);
  visitsByDocument.set(document, visits);
  return visits;
}

function collect(visit: Visit, visits: Visit[]): void {
  visits.push(visit);
  const { value, depth } = visit;
  if (depth >= MAX_DEPTH || typeof value !== 'object' || value === null) return;
  const entries: Iterable<[string | number, unknown]> = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, child] of entries) {
    if (visits.length >= MAX_VISITS) return;
    collect({ key, value: child, parent: visit, depth: depth + 1 }, visits);
  }
}

export function pathOf(visit: Visit): Path {
  const path: (string | number)[] = [];
  for (let at: Visit | undefined = visit; at?.key !== undefined; at = at.parent) path.unshift(at.key);
  return path;
}

/** `spec.containers[0].image`; a key that is no plain word is written `['a.b/c']`. */
export function formatPath(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : /^[\w-]+$/.test(key) ? `.${key}` : `['${key}']`))
    .join('')
    .replace(/^\./, '');
}

export function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** The value's own field, never one of its prototype's. */
export function fieldOf(value: unknown, name: string): unknown {
  const fields = asFields(value);
  return fields && Object.hasOwn(fields, name) ? fields[name] : undefined;
}

export function textOf(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === 'string' ? field : undefined;
}

/** The value at the end of the keys. */
export function valueAt(value: unknown, ...keys: Path): unknown {
  let at = value;
  for (const key of keys) at = Array.isArray(at) && typeof key === 'number' ? at[key] : fieldOf(at, String(key));
  return at;
}
