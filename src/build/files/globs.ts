// Matches the sources of COPY and ADD with the paths of a tree (Go's filepath.Match is the reference), and suggests a name if nothing matches.
import { ImagesError } from '../../oci/errors.ts';
import { nearest } from '../../oci/nearest.ts';
import { joinPath, parentPath } from '../../rootfs/path.ts';
import { findPath, type NodeAtPath, type RootTree, sortedNames, type TreeNode } from '../../rootfs/tree.ts';
import { printableName } from '../../tar/names.ts';
import { partMatcher } from '../context/patterns.ts';
import type { TreeSource } from './tree-source.ts';

/** A path that a source matches. */
export interface GlobMatch {
  /** The path as the source names it: its last component is the name of the copy. */
  readonly named: string;
  /** The node after following links. */
  readonly found: NodeAtPath;
}

export function hasWildcards(text: string): boolean {
  return /[*?[]/.test(text.replaceAll(/\\./gs, ''));
}

/** In byte order. Follows links in the components before the first wildcard, in a source without wildcards, and at each match. Errors: PATH_UNKNOWN, PatternError. */
export function matchSource(source: TreeSource, text: string): readonly GlobMatch[] {
  const path = normalised(text);
  const parts = path.split('/').filter((part) => part !== '');
  const first = parts.findIndex(hasWildcards);
  if (first < 0) {
    const named = parts.map(unescaped).join('/');
    const found = findPath(source.tree, named, { follow: true });
    if (!found) throw noSuch(source, text, named);
    return [{ named, found }];
  }
  const start = findPath(source.tree, parts.slice(0, first).map(unescaped).join('/'), { follow: true });
  const pattern = parts.slice(first);
  const matches = start ? [...matching(start, pattern)] : [];
  if (matches.length === 0) throw noSuch(source, text, path);
  return matches.map((found) => ({ named: found.path, found: followed(source.tree, found) }));
}

function* matching(at: NodeAtPath, [part, ...rest]: readonly string[]): Generator<NodeAtPath> {
  const { children } = at.node;
  if (part === undefined || !children) return;
  const matches = partMatcher(part);
  for (const name of sortedNames(children)) {
    if (!matches(name)) continue;
    const found = { path: joinPath(at.path, name), node: children.get(name) as TreeNode };
    if (rest.length === 0) yield found;
    else yield* matching(found, rest);
  }
}

function followed(tree: RootTree, found: NodeAtPath): NodeAtPath {
  return findPath(tree, found.path, { follow: true }) ?? found;
}

/** An error PATH_UNKNOWN that suggests a similar name, or lists what is there. */
export function noSuch(source: TreeSource, text: string, path: string): ImagesError {
  const parent = findPath(source.tree, parentPath(path), { follow: true });
  const names = parent?.node.children ? sortedNames(parent.node.children) : [];
  const name = path.slice(path.lastIndexOf('/') + 1);
  const link = parent?.node.children?.get(name)?.inode.entry;
  const meant = link || hasWildcards(name) ? undefined : nearest(name, names);
  const shown = names.slice(0, 8).map(printableName).join(' ');
  const hint = link
    ? `It is a link to what is not in ${source.name}: ${printableName(link.linkname)}`
    : meant
      ? `Did you mean ${printableName(joinPath(parentPath(path), meant))}?`
      : names.length === 0
        ? `${source.name} has nothing there.`
        : `There is: ${shown}${names.length > 8 ? ' …' : ''}`;
  const what = hasWildcards(text) ? 'nothing matches' : 'no such file or directory';
  return new ImagesError('PATH_UNKNOWN', `${what} in ${source.name} [${printableName(text)}]`, { hint });
}

/** Normalises a path relative to the root; `..` never leads out of it. */
export function normalised(text: string): string {
  const parts: string[] = [];
  for (const part of text.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function unescaped(part: string): string {
  return part.replaceAll(/\\(.)/gs, '$1');
}
