// JSON patches (RFC 6902) on resources, with pointers (RFC 6901).
import { isDeepStrictEqual } from 'node:util';
import { isFields, type ResourceFields, type ResourceOrigin, setFrom } from './resource.ts';

/** Applies a patch in place. `copies` says whether a value may still be copied. Returns the operations that failed, for which kustomize would refuse the build. */
export function applyJsonPatch(
  target: ResourceFields,
  patch: readonly unknown[],
  { source, copies }: { readonly source: ResourceOrigin; readonly copies: (value: unknown) => boolean },
): readonly string[] {
  const failures: string[] = [];
  for (const [index, operation] of patch.entries()) {
    if (!isFields(operation) || typeof operation.path !== 'string') continue;
    const value: ResourceOrigin = { document: source.document, path: [...source.path, index, 'value'] };
    const failure = applyOperation(target, operation as Operation, { source: value, copies });
    if (failure) failures.push(failure);
  }
  return failures;
}

/** Maximum depth, as for parsed documents. Functions that walk a resource are recursive, so deeper nesting could exhaust the stack. */
const MAX_DEPTH = 300;

interface Operation extends ResourceFields {
  readonly path: string;
}

function applyOperation(
  target: ResourceFields,
  operation: Operation,
  { source, copies }: { readonly source: ResourceOrigin; readonly copies: (value: unknown) => boolean },
): string | undefined {
  const { op, path } = operation;
  switch (op) {
    case 'add':
    case 'replace':
      return put(target, { path, value: operation.value, inserts: op === 'add' }, source);
    case 'remove':
      return take(target, path) ? undefined : `nothing to remove at [${path}]`;
    case 'move':
    case 'copy': {
      const from = String(operation.from);
      const value = lookUp(target, keysOf(from));
      if (value === undefined) return `nothing at [${from}]`;
      // A value that is repeatedly copied into itself would grow without end.
      if (!copies(value)) return `too much to copy from [${from}]`;
      if (op === 'move') take(target, from);
      return put(target, { path, value: structuredClone(value), inserts: true }, source);
    }
    case 'test':
      return isDeepStrictEqual(lookUp(target, keysOf(path)), operation.value) ? undefined : `not so at [${path}]`;
    default:
      return `no such operation [${String(op)}]`;
  }
}

interface Put {
  readonly path: string;
  readonly value: unknown;
  readonly inserts: boolean;
}

function put(target: ResourceFields, { path, value, inserts }: Put, source: ResourceOrigin): string | undefined {
  const keys = keysOf(path);
  const last = keys.at(-1);
  const parent = lookUp(target, keys.slice(0, -1));
  if (last === undefined || typeof parent !== 'object' || parent === null) return `nothing to change at [${path}]`;
  if (!isNestedWithin(MAX_DEPTH - keys.length, value)) return `nested too deeply at [${path}]`;
  if (!Array.isArray(parent)) setFrom(source, parent as ResourceFields, last)(value);
  else {
    const at = last === '-' ? parent.length : Number(last);
    if (!Number.isInteger(at) || at < 0 || at > parent.length) return `no entry [${path}]`;
    if (inserts) parent.splice(at, 0, undefined);
    setFrom(source, parent, at)(value);
  }
  return undefined;
}

function isNestedWithin(levels: number, value: unknown): boolean {
  if (levels < 0) return false;
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every((item) => isNestedWithin(levels - 1, item));
}

function take(target: ResourceFields, path: string): boolean {
  const keys = keysOf(path);
  const last = keys.at(-1);
  const parent = lookUp(target, keys.slice(0, -1));
  if (last === undefined || lookUp(target, keys) === undefined) return false;
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as ResourceFields)[last];
  return true;
}

function lookUp(target: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((at, key) => {
    if (Array.isArray(at)) return at[key === '-' ? at.length - 1 : Number(key)];
    return isFields(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }, target);
}

function keysOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}
