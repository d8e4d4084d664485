// Where in a document: paths of visits, and how people read them.
import type { Path } from './contract.ts';
import type { Visit } from './walk.ts';

/** The way from the document to the visited value. */
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

/** The nearest key above that is a name, not an index: `containers` for its entries. */
export function nameOf(visit: Visit | undefined): string | undefined {
  let at = visit;
  while (typeof at?.key === 'number') at = at.parent;
  return typeof at?.key === 'string' ? at.key : undefined;
}
