// Every value of a document that can matter, with the way that leads to it; rules ask for the same list, so it is made once a document.
import type { ScannedDocument } from './contract.ts';
import { asFields, type Fields, textOf } from './fields.ts';

export interface Visit {
  /** Key in the parent; undefined for the document itself. */
  readonly key: string | number | undefined;
  readonly value: unknown;
  readonly parent: Visit | undefined;
  /** The Kubernetes object that the value belongs to; Lists and custom resources hold others. */
  readonly object: KubernetesObject | undefined;
  readonly depth: number;
}

export interface KubernetesObject {
  readonly kind: string;
  readonly apiVersion: string;
  /** `apps` of `apps/v1`; empty for the core group. */
  readonly group: string;
  readonly fields: Fields;
}

/** What rules ask others to put together may be nested deeper than any document that was parsed. */
const MAX_DEPTH = 300;

/** Subtrees that never name an image to run, whatever their texts look like. */
const NEVER: ReadonlySet<string> = new Set([
  'labels',
  'matchLabels',
  'matchExpressions',
  'nodeSelector',
  'managedFields',
  'ownerReferences',
  'openAPIV3Schema',
  'description',
]);

/** Rules look at one document after the other. One is remembered: a WeakMap would carry every document's visits through the young generation. */
let latest: { readonly document: ScannedDocument; readonly visits: readonly Visit[] } | undefined;

/** The document's texts, lists and maps, parents before children, in the order in which they are written; without CRDs, `status`, labels and descriptions. */
export function visitsOf(document: ScannedDocument): readonly Visit[] {
  if (latest?.document === document) return latest.visits;
  const visits: Visit[] = [];
  collect({ key: undefined, value: document.value, parent: undefined, object: undefined, depth: 0 }, visits);
  latest = { document, visits };
  return visits;
}

function collect(visit: Visit, visits: Visit[]): void {
  const { value, depth } = visit;
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'string') visits.push(visit);
    return;
  }
  const own = objectOf(value);
  if (own?.kind === 'CustomResourceDefinition') return;
  visits.push(own ? { ...visit, object: own } : visit);
  if (depth >= MAX_DEPTH) return;
  const parent = visits.at(-1) as Visit;
  const { object } = parent;
  if (Array.isArray(value)) {
    for (let key = 0; key < value.length; key++) {
      collect({ key, value: value[key], parent, object, depth: depth + 1 }, visits);
    }
    return;
  }
  const fields = value as Fields;
  for (const key of Object.keys(fields)) {
    if (!isPruned(parent, key)) collect({ key, value: fields[key], parent, object, depth: depth + 1 }, visits);
  }
}

/** False where the text that the document was parsed from does not have the pattern: a rule need not look any closer. */
export function mayMention({ source }: ScannedDocument, pattern: RegExp): boolean {
  return source === undefined || pattern.test(source);
}

/** The object that a map is; undefined for any other map. */
export function objectOf(value: object): KubernetesObject | undefined {
  const kind = textOf(value, 'kind');
  const apiVersion = textOf(value, 'apiVersion');
  const fields = asFields(value);
  if (kind === undefined || apiVersion === undefined || !fields) return undefined;
  const slash = apiVersion.indexOf('/');
  return { kind, apiVersion, group: slash < 0 ? '' : apiVersion.slice(0, slash), fields };
}

/** `status` tells what was, and only at the top of an object; items of a `PodList` need not say that they are Pods. */
function isPruned(parent: Visit, key: string): boolean {
  if (NEVER.has(key)) return true;
  if (key !== 'status') return false;
  const isItem = parent.parent?.key === 'items' && typeof parent.key === 'number';
  return parent.object !== undefined && (isItem || parent.value === parent.object.fields);
}
