// The file system of an image as a tree of names. A name refers to an inode, and several names can share one (hard links).
import { ImagesError } from '../oci/errors.ts';
import type { TarHeader } from '../tar/entry.ts';
import { printableName, sortNames } from '../tar/names.ts';
import { plainHeader } from '../tar/plain-header.ts';
import type { IndexedEntry } from './contract.ts';
import { joinPath, linkTarget } from './path.ts';

export interface Inode {
  /** The entry that describes it, never a hard link's. Absent for a directory for which no layer has an entry. */
  entry: IndexedEntry | undefined;
  /** The layer with the entry, counted from the base. */
  layer: number;
  /** Number of names in the tree. */
  links: number;
}

export interface TreeNode {
  readonly inode: Inode;
  /** The layer that put the name here, counted from the base. */
  readonly layer: number;
  /** The children of a directory, by name. */
  readonly children?: Map<string, TreeNode>;
  /** For a directory above unknown layers: what it hides of theirs, everything or certain names. */
  readonly below?: { opaque: boolean; readonly gone: Set<string> };
}

export interface RootTree {
  readonly root: TreeNode;
}

export interface NodeAtPath {
  readonly path: string;
  readonly node: TreeNode;
}

/** How many symbolic links are followed on one path. Linux has the same limit. */
const MAX_LINKS = 40;

export interface FindOptions {
  /** Whether a symbolic link at the end of the path is followed, too. */
  readonly follow?: boolean;
}

/**
 * Resolves a path, following symbolic links inside the root. Returns `undefined` if there is nothing. In a tree above unknown layers it finds what is in the tree,
 * also a hard link whose file is not. Errors: PATH_UNKNOWN for links in a circle.
 */
export function findPath(tree: RootTree, path: string, options: FindOptions = {}): NodeAtPath | undefined {
  const found = resolvePath(tree, path, options);
  return isNode(found) ? found : undefined;
}

/** The same in a tree above unknown layers; returns `unknown` if the result depends on them. */
export function findKnown(tree: RootTree, path: string, options: FindOptions = {}): Resolved {
  const found = resolvePath(tree, path, options);
  // The file of a hard link whose entry is here is in an unknown layer.
  return isNode(found) && found.node.inode.entry?.type !== 'hardlink' ? found : found && 'unknown';
}

/** Where a path leads that the tree does not have: the symbolic links of the tree are resolved, those of unknown layers are not. */
export function pathBelow(tree: RootTree, path: string): string {
  const found = resolvePath(tree, path, {});
  return found ? (isNode(found) ? found.path : found.below) : path;
}

type Resolved = NodeAtPath | undefined | 'unknown';

/** The path in the unknown layers on which the result depends. */
interface Below {
  readonly below: string;
}

function isNode(found: NodeAtPath | Below | undefined): found is NodeAtPath {
  return found !== undefined && 'node' in found;
}

function resolvePath(tree: RootTree, path: string, options: FindOptions): NodeAtPath | Below | undefined {
  let parts = namesOf(path);
  let node = tree.root;
  let at = '';
  let links = 0;
  for (;;) {
    const [part, ...rest] = parts;
    if (part === undefined) break;
    const child = node.children?.get(part);
    if (!child) {
      const isUnknown = node.below && !node.below.opaque && !node.below.gone.has(part);
      return isUnknown ? { below: [at, ...parts].filter((name) => name !== '').join('/') } : undefined;
    }
    const here = joinPath(at, part);
    const entry = child.inode.entry;
    if (entry?.type === 'symlink' && (rest.length > 0 || options.follow)) {
      if (++links > MAX_LINKS) throw inACircle(path);
      parts = [...namesOf(linkTarget(here, entry.linkname)), ...rest];
      [node, at] = [tree.root, ''];
      continue;
    }
    [node, at, parts] = [child, here, rest];
  }
  return { path: at, node };
}

function namesOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '');
}

/** The node at exactly this path, without following links. */
export function nodeAt({ root }: RootTree, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const part of path === '' ? [] : path.split('/')) node = node?.children?.get(part);
  return node;
}

/** A directory and everything below: directories before their content, names in byte order. */
export function* walk(node: TreeNode, path = ''): Generator<NodeAtPath> {
  yield { path, node };
  if (!node.children) return;
  for (const name of sortedNames(node.children)) {
    yield* walk(node.children.get(name) as TreeNode, joinPath(path, name));
  }
}

/** The names in a directory, in byte order. */
export function sortedNames(children: ReadonlyMap<string, TreeNode>): readonly string[] {
  return sortNames([...children.keys()]);
}

/** The header of a directory that no layer describes. */
const IMPLIED: TarHeader = plainHeader({ name: '', type: 'directory', mode: 0o755 });

/** The header of a node. For a directory that no layer describes: owner root, mode 0755. */
export function headerOf({ inode }: TreeNode): TarHeader {
  return inode.entry ?? IMPLIED;
}

function inACircle(path: string): ImagesError {
  return new ImagesError('PATH_UNKNOWN', `symbolic links lead in a circle [/${printableName(path)}]`);
}
