// Paths of values in a document, and their readable form.
import type { Path } from './contract.ts';
import type { Visit } from './walk.ts';

/** The path from the document to the visited value. */
export function pathOf(visit: Visit): Path {
  const path: (string | number)[] = [];
  for (let at: Visit | undefined = visit; at?.key !== undefined; at = at.parent) path.unshift(at.key);
  return path;
}

/** Formats a path as `spec.containers[0].image`. A key that is not a plain word is written as `['a.b/c']`. */
export function formatPath(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : /^[\w-]+$/.test(key) ? `.${key}` : `['${key}']`))
    .join('')
    .replace(/^\./, '');
}

/** The nearest key upwards that is a name and not an index, such as `containers` for its entries. */
export function nameOf(visit: Visit | undefined): string | undefined {
  let at = visit;
  while (typeof at?.key === 'number') at = at.parent;
  return typeof at?.key === 'string' ? at.key : undefined;
}
