// Applies layers to each other, which gives one tree (OCI image specification 1.1, layer.md, "Applying Changesets"): what an overlayfs mount of the layers shows.
import type { ImagesError } from '../oci/errors.ts';
import { printableName } from '../tar/names.ts';
import type { IndexedEntry, LayerIndex } from './contract.ts';
import { damagedImage } from './damaged.ts';
import { linkedHeader } from './linked-header.ts';
import { baseName, cleanPath, joinPath, linkTarget, parentPath } from './path.ts';
import { findPath, type Inode, nodeAt, pathBelow, type RootTree, type TreeNode } from './tree.ts';
import { whiteoutOf } from './whiteout.ts';

/** Is told what happens to names while layers are applied. `layer` counts from the base. */
export interface ApplyWatcher {
  /** The name has gone: it was deleted or replaced. If it was the last name of `inode`, the inode has gone, too. */
  removed?(path: string, inode: Inode, layer: number): void;
  /** The layer has been applied. The same tree object changes with the next layer. */
  applied?(tree: RootTree, layer: number): void;
}

const MAX_LINKS = 40;
/** The deepest nesting of directories: a longer path exceeds Linux' PATH_MAX (4096 bytes). Code that walks the tree recurses as deep. */
const MAX_DEPTH = 2048;

export interface ApplyOptions {
  readonly watcher?: ApplyWatcher;
  /** Number of layers below the first of `indexes` whose content is unknown. The tree then records what may show through (`TreeNode.below`). */
  readonly below?: number;
  /** The entries are ordinary files and not a layer, so a name like `.wh.x` has no special meaning. */
  readonly noWhiteouts?: boolean;
}

/** `indexes` begin with the base, or the lowest known layer. Errors: TAR_INVALID for hard links to nothing, to directories or in a circle. */
export function applyLayers(indexes: readonly LayerIndex[], options: ApplyOptions = {}): RootTree {
  const { watcher = {}, below = 0, noWhiteouts = false } = options;
  const unknown = below > 0;
  const tree: RootTree = { root: newDirectory({ layer: below, below: unknown }) };
  for (const [at, index] of indexes.entries()) {
    applyLayer({ tree, layer: below + at, watcher, below: unknown, noWhiteouts }, index);
  }
  return tree;
}

interface Applying {
  readonly tree: RootTree;
  readonly layer: number;
  readonly watcher: ApplyWatcher;
  readonly below: boolean;
  readonly noWhiteouts: boolean;
}

/** Whiteouts are applied first: they hide what lower layers have, wherever in the archive they are. */
function applyLayer(applying: Applying, { entries }: LayerIndex): void {
  const files: IndexedEntry[] = [];
  for (const entry of entries) {
    const whiteout = applying.noWhiteouts ? undefined : whiteoutOf(entry.path);
    if (!whiteout) files.push(entry);
    else if (whiteout.kind !== 'meta') hide(applying, whiteout);
  }
  for (const entry of files) addEntry(applying, entry);
  applying.watcher.applied?.(applying.tree, applying.layer);
}

function hide(applying: Applying, { kind, path }: { readonly kind: 'path' | 'opaque'; readonly path: string }): void {
  const at = kind === 'path' ? parentPath(path) : path;
  const directory = applying.below ? ensureDirectory(applying, at, 0).node : directoryAt(applying.tree, at);
  if (!directory) return;
  if (kind === 'path') {
    const name = baseName(path);
    removeChild(applying, directory, { path, name });
    directory.below?.gone.add(name);
    return;
  }
  for (const name of [...directory.children.keys()]) {
    removeChild(applying, directory, { path: joinPath(path, name), name });
  }
  if (directory.below) directory.below.opaque = true;
}

type Directory = TreeNode & { readonly children: Map<string, TreeNode> };

/** The directory at exactly this path, without following links. */
function directoryAt(tree: RootTree, path: string): Directory | undefined {
  const node = nodeAt(tree, path);
  return node && isDirectory(node) ? node : undefined;
}

function addEntry(applying: Applying, entry: IndexedEntry): void {
  if (entry.path === '') {
    if (entry.type === 'directory') describe(applying.tree.root, entry, applying.layer);
    return;
  }
  const parentDirectory = ensureDirectory(applying, parentPath(entry.path), 0);
  const name = baseName(entry.path);
  const path = joinPath(parentDirectory.path, name);
  const parent = parentDirectory.node;
  const there = parent.children.get(name);
  if (entry.type === 'directory' && there && isDirectory(there)) {
    describe(there, entry, applying.layer);
    // The layer has an entry for this directory, so it and its parents now belong to the layer.
    parent.children.set(name, { ...there, layer: applying.layer });
    return;
  }
  // Resolved before the name is removed, because a hard link may point to what it replaces.
  const inode: Inode = entry.type === 'hardlink' ? linkedInode(applying, entry) : newInode(entry, applying.layer);
  if (there) removeChild(applying, parent, { path, name });
  inode.links++;
  const { layer } = applying;
  parent.children.set(
    name,
    entry.type === 'directory' ? directoryIn(applying, { parent, name, there }, inode) : { inode, layer },
  );
}

function describe(node: TreeNode, entry: IndexedEntry, layer: number): void {
  node.inode.entry = entry;
  node.inode.layer = layer;
}

/** The file that the link points to, with the attributes in the link's header. Errors: TAR_INVALID if it points to nothing or to a directory. */
function linkedInode({ tree, layer, below }: Applying, entry: IndexedEntry): Inode {
  const { path, linkname } = entry;
  const target = cleanPath(linkname);
  const parent = findPath(tree, parentPath(target), { follow: true });
  const node = parent?.node.children?.get(baseName(target));
  if (!node && below) return newInode({ ...entry, linkname: pathBelow(tree, target) }, layer);
  if (!node || isDirectory(node)) {
    const what = node ? 'a directory' : 'a file that is not there';
    throw damagedImage(`a hard link to ${what} [${printableName(path)} → ${printableName(linkname)}]`);
  }
  if (node.inode.entry) node.inode.entry = linkedHeader(node.inode.entry, entry);
  return node.inode;
}

interface DirectoryAtPath {
  readonly path: string;
  readonly node: Directory;
}

/**
 * The directory for an entry. A symbolic link on the way that the same layer made is followed, as unpacking would do;
 * anything else that is no directory is replaced by one, because the layer hides it.
 */
function ensureDirectory(applying: Applying, path: string, links: number): DirectoryAtPath {
  const { tree, layer } = applying;
  let node = tree.root as Directory;
  let here = '';
  const parts = path === '' ? [] : path.split('/');
  if (parts.length > MAX_DEPTH) throw damagedImage(`a name in a layer is [${parts.length}] directories deep`);
  for (const [at, part] of parts.entries()) {
    const child = node.children.get(part);
    here = joinPath(here, part);
    if (child && isDirectory(child)) {
      node = child;
      continue;
    }
    const entry = child?.inode.entry;
    if (entry?.type === 'symlink' && child?.layer === layer) {
      if (links > MAX_LINKS) throw inACircle(path);
      const target = [linkTarget(here, entry.linkname), ...parts.slice(at + 1)].filter((name) => name !== '');
      return ensureDirectory(applying, target.join('/'), links + 1);
    }
    if (child) removeChild(applying, node, { path: here, name: part });
    const inode = newInode(undefined, layer);
    inode.links = 1;
    const made = directoryIn(applying, { parent: node, name: part, there: child }, inode);
    node.children.set(part, made);
    node = made;
  }
  return { path: here, node };
}

function removeChild(
  applying: Applying,
  parent: Directory,
  { path, name }: { readonly path: string; readonly name: string },
): void {
  const node = parent.children.get(name);
  if (!node) return;
  for (const child of [...(node.children?.keys() ?? [])]) {
    removeChild(applying, node as Directory, { path: joinPath(path, child), name: child });
  }
  parent.children.delete(name);
  node.inode.links--;
  applying.watcher.removed?.(path, node.inode, applying.layer);
}

function newInode(entry: IndexedEntry | undefined, layer: number): Inode {
  return { entry, layer, links: 0 };
}

function newDirectory({ layer, below }: { readonly layer: number; readonly below: boolean }): Directory {
  const node = { inode: newInode(undefined, layer), layer, children: new Map<string, TreeNode>() };
  return below ? { ...node, below: { opaque: false, gone: new Set() } } : node;
}

interface Spot {
  readonly parent: Directory;
  readonly name: string;
  /** What had this name before. */
  readonly there: TreeNode | undefined;
}

/** A new directory. Unknown lower layers show through in it, unless something above has hidden them. */
function directoryIn({ layer, below }: Applying, { parent, name, there }: Spot, inode: Inode): Directory {
  const node = { inode, layer, children: new Map<string, TreeNode>() };
  if (!below) return node;
  const hidden = there !== undefined || parent.below?.opaque === true || parent.below?.gone.has(name) === true;
  return { ...node, below: { opaque: hidden, gone: new Set() } };
}

function isDirectory(node: TreeNode): node is Directory {
  return node.children !== undefined;
}

function inACircle(path: string): ImagesError {
  return damagedImage(`symbolic links in a layer lead in a circle [${printableName(path)}]`);
}
