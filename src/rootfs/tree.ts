// The file system of an image as a tree of names; what a name stands for is an inode, which several names can share (hard links).
import { ImagesError } from '../oci/errors.ts';
import type { TarHeader } from '../tar/entry.ts';
import { printableName, sortNames } from '../tar/names.ts';
import { plainHeader } from '../tar/plain-header.ts';
import type { IndexedEntry } from './contract.ts';
import { joinPath, linkTarget } from './path.ts';

export interface Inode {
  /** What describes it: never a hard link's. Absent for a directory that no layer has an entry of. */
  entry: IndexedEntry | undefined;
  /** The layer that the entry is in, counted from the base. */
  layer: number;
  /** Names in the tree. */
  links: number;
}

export interface TreeNode {
  readonly inode: Inode;
  /** The layer that put the name here, counted from the base. */
  readonly layer: number;
  /** Of a directory, by name. */
  readonly children?: Map<string, TreeNode>;
  /** Of a directory above layers whose content is not known: what of theirs is hidden, all or some names. */
  readonly below?: { opaque: boolean; readonly gone: Set<string> };
}

export interface RootTree {
  readonly root: TreeNode;
}

export interface PlacedNode {
  readonly path: string;
  readonly node: TreeNode;
}

/** Symbolic links that are followed on the way to one path (Linux has the same limit). */
const MAX_LINKS = 40;

export interface FindOptions {
  /** A symbolic link at the path's end is followed too. */
  readonly follow?: boolean;
}

/** What a path leads to, symbolic links on the way followed inside the root. `undefined` where there is nothing. Errors: PATH_UNKNOWN for links in a circle. */
export function findPath(tree: RootTree, path: string, options: FindOptions = {}): PlacedNode | undefined {
  const found = findKnown(tree, path, options);
  return found === 'unknown' ? undefined : found;
}

/** The same in a tree above unknown layers: `unknown` where it depends on them. */
export function findKnown(tree: RootTree, path: string, options: FindOptions = {}): PlacedNode | undefined | 'unknown' {
  let parts = namesOf(path);
  let node = tree.root;
  let at = '';
  let links = 0;
  for (;;) {
    const [part, ...rest] = parts;
    if (part === undefined) break;
    const child = node.children?.get(part);
    if (!child) return node.below && !node.below.opaque && !node.below.gone.has(part) ? 'unknown' : undefined;
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
  // A hard link whose target is in a layer that is not known.
  return node.inode.entry?.type === 'hardlink' ? 'unknown' : { path: at, node };
}

function namesOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '');
}

/** What stands at this very path: no link is followed. */
export function nodeAt({ root }: RootTree, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const part of path === '' ? [] : path.split('/')) node = node?.children?.get(part);
  return node;
}

/** All below a directory, itself first: directories before what is in them, names in byte order. */
export function* walk(node: TreeNode, path = ''): Generator<PlacedNode> {
  yield { path, node };
  if (!node.children) return;
  for (const name of sortedNames(node.children)) {
    yield* walk(node.children.get(name) as TreeNode, joinPath(path, name));
  }
}

/** Of a directory, in byte order. */
export function sortedNames(children: ReadonlyMap<string, TreeNode>): readonly string[] {
  return sortNames([...children.keys()]);
}

/** What a directory is that no layer describes. */
const IMPLIED: TarHeader = plainHeader({ name: '', type: 'directory', mode: 0o755 });

/** The header of a name: root's 0755 for a directory that no layer describes. */
export function headerOf({ inode }: TreeNode): TarHeader {
  return inode.entry ?? IMPLIED;
}

function inACircle(path: string): ImagesError {
  return new ImagesError('PATH_UNKNOWN', `symbolic links lead in a circle [/${printableName(path)}]`);
}
