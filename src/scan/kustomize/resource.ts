// A Kubernetes object while it is built by kustomizations. The source position of each value is tracked.
import type { FilePosition, Path, ScannedDocument } from '../contract.ts';
import { formatPath } from '../path.ts';

export type ResourceFields = Record<string, unknown>;

export interface ResourceOrigin {
  readonly document: ScannedDocument;
  readonly path: Path;
}

/** `value` is the resource's own copy: patches change it in place. */
export interface Resource {
  readonly value: ResourceFields;
  /** The original name first, the current one last. Patches without a target may use any of them. */
  readonly names: string[];
  /** The original namespace first, the current one last. */
  readonly namespaces: string[];
  /** Why its images are uncertain: something changes them that cannot be computed here. */
  doubt?: string;
}

/** The source positions of whole mappings and lists. */
const origins = new WeakMap<object, ResourceOrigin>();
/** The source positions of single values in a mapping or list, if different from that of the whole. */
const overrides = new WeakMap<object, Map<string | number, ResourceOrigin>>();

export function isFields(value: unknown): value is ResourceFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function resourceOf(source: ResourceOrigin, value: ResourceFields): Resource {
  const copy = copyFrom(source, value) as ResourceFields;
  const { name, namespace } = isFields(copy.metadata) ? copy.metadata : {};
  return { value: copy, names: typeof name === 'string' ? [name] : [], namespaces: [effectiveNamespace(namespace)] };
}

/** That of a resource which names none is `default` (`EffectiveNamespace` in kyaml/resid/resid.go). */
export function effectiveNamespace(written: unknown): string {
  return typeof written === 'string' && written !== '' ? written : 'default';
}

export function copyResource({ value, names, namespaces, doubt }: Resource): Resource {
  return {
    value: copyKept(value) as ResourceFields,
    names: [...names],
    namespaces: [...namespaces],
    ...(doubt !== undefined && { doubt }),
  };
}

/** Copies a value of a document, and records the positions. */
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

/** Copies a value with the recorded positions of its parts. */
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

/** Sets a value and records its own source position. */
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

/** The source position of the value at this path. */
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

export function filePositionOf(source: ResourceOrigin, lineInText?: number): FilePosition {
  const { document, path } = source;
  const line = lineInText === undefined ? document.lineOf(path) : document.lineInText(path, lineInText);
  return { file: document.file, line, path: formatPath(path) };
}
