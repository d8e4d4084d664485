// All values of a document that can matter, each with its path. Rules share this list, which is made once for each document.
import type { ScannedDocument } from './contract.ts';
import { asFields, type Fields, textOf } from './fields.ts';

export interface Visit {
  /** The key in the parent. `undefined` for the document itself. */
  readonly key: string | number | undefined;
  readonly value: unknown;
  readonly parent: Visit | undefined;
  /** The innermost Kubernetes object that contains the value. Lists and custom resources can contain other objects. */
  readonly object: KubernetesObject | undefined;
  readonly depth: number;
}

export interface KubernetesObject {
  readonly kind: string;
  readonly apiVersion: string;
  /** The API group, `apps` of `apps/v1`. Empty for the core group. */
  readonly group: string;
  readonly fields: Fields;
}

/** Limit for generated documents, which rules pass to other rules. They can be nested deeper than parsed ones. */
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

/** A cache of one document, since rules examine one document after the other. A WeakMap would keep every document's visits alive across young-generation GCs. */
let latest: { readonly document: ScannedDocument; readonly visits: readonly Visit[] } | undefined;

/** The texts, lists and maps of the document, parents before children, in document order. Omits CRDs, `status`, labels and descriptions. */
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

/** Returns `false` if the source text of the document does not match the pattern, so that a rule can skip it. */
export function mayMention({ source }: ScannedDocument, pattern: RegExp): boolean {
  return source === undefined || pattern.test(source);
}

/** The Kubernetes object that a map is. Returns `undefined` for any other map. */
export function objectOf(value: object): KubernetesObject | undefined {
  const kind = textOf(value, 'kind');
  const apiVersion = textOf(value, 'apiVersion');
  const fields = asFields(value);
  if (kind === undefined || apiVersion === undefined || !fields) return undefined;
  const slash = apiVersion.indexOf('/');
  return { kind, apiVersion, group: slash < 0 ? '' : apiVersion.slice(0, slash), fields };
}

/** `status` describes the past, but only at the top of an object. The items of a `PodList` may omit their kind. */
function isPruned(parent: Visit, key: string): boolean {
  if (NEVER.has(key)) return true;
  if (key !== 'status') return false;
  const isItem = parent.parent?.key === 'items' && typeof parent.key === 'number';
  return parent.object !== undefined && (isItem || parent.value === parent.object.fields);
}
