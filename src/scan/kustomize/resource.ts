// A Kubernetes object on its way through kustomizations, which remembers for each of its values where that was written.
import type { FilePosition, Path, ScannedDocument } from '../contract.ts';
import { formatPath } from '../path.ts';

export type ResourceFields = Record<string, unknown>;

export interface ResourceOrigin {
  readonly document: ScannedDocument;
  readonly path: Path;
}

/** `value` is a copy of its own: patches change it in place. */
export interface Resource {
  readonly value: ResourceFields;
  /** The name that it has, last, and those that it had: patches may use any. */
  readonly names: string[];
  /** Why its images are not sure, where something that cannot be worked out here changes them. */
  doubt?: string;
}

/** Where the mapping or list as a whole was written. */
const origins = new WeakMap<object, ResourceOrigin>();
/** Where single values in it were written, if not with the whole. */
const overrides = new WeakMap<object, Map<string | number, ResourceOrigin>>();

export function isFields(value: unknown): value is ResourceFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function resourceOf(source: ResourceOrigin, value: ResourceFields): Resource {
  const copy = copyFrom(source, value) as ResourceFields;
  const name = isFields(copy.metadata) ? copy.metadata.name : undefined;
  return { value: copy, names: typeof name === 'string' ? [name] : [] };
}

export function copyResource({ value, names, doubt }: Resource): Resource {
  return { value: copyKept(value) as ResourceFields, names: [...names], ...(doubt !== undefined && { doubt }) };
}

/** Copies a value out of the document where it stands. */
export function copyFrom(source: ResourceOrigin, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const inner = (key: string | number, item: unknown): unknown =>
    copyFrom({ document: source.document, path: [...source.path, key] }, item);
  const copy = Array.isArray(value)
    ? value.map((item, index) => inner(index, item))
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(key, item)]));
  origins.set(copy, source);
  return copy;
}

/** Copies a value with all that is known of where its parts were written. */
function copyKept(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const copy = Array.isArray(value)
    ? value.map(copyKept)
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyKept(item)]));
  const origin = origins.get(value);
  const override = overrides.get(value);
  if (origin) origins.set(copy, origin);
  if (override) overrides.set(copy, new Map(override));
  return copy;
}

/** Sets a value that was written elsewhere. */
export function setFrom(
  source: ResourceOrigin,
  target: ResourceFields | unknown[],
  key: string | number,
): (value: unknown) => void {
  return (value) => {
    (target as ResourceFields)[key] = copyFrom(source, value);
    const known = overrides.get(target) ?? new Map<string | number, ResourceOrigin>();
    known.set(key, source);
    overrides.set(target, known);
  };
}

/** Where the value with this path was written. */
export function sourceOf(resource: Resource, path: Path): ResourceOrigin | undefined {
  let source = origins.get(resource.value);
  let at: unknown = resource.value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) break;
    const own = origins.get(at) ?? source;
    source = overrides.get(at)?.get(key) ?? (own && { document: own.document, path: [...own.path, key] });
    at = (at as ResourceFields)[key];
    const origin = typeof at === 'object' && at !== null ? origins.get(at) : undefined;
    if (origin) source = origin;
  }
  return source;
}

export function placeOf(source: ResourceOrigin, lineInText?: number): FilePosition {
  const { document, path } = source;
  const line = lineInText === undefined ? document.lineOf(path) : document.lineInText(path, lineInText);
  return { file: document.file, line, path: formatPath(path) };
}
