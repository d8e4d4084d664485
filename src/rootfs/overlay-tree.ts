// The other way to write a layer for overlayfs: its whole tree is known before the first entry is written, so each name is written once, in its final state.
import { compareNames } from '../tar/names.ts';
import { applyLayers } from './apply-layers.ts';
import type { IndexedEntry, LayerIndex } from './contract.ts';
import { directoryHeader, hardLink, type OverlayOptions, overlayHeader, whiteoutHeader } from './overlay-header.ts';
import type { LaterEntry, LowerLink, OverlayShape } from './overlay-shape.ts';
import { cleanPath, joinPath } from './path.ts';
import { type Inode, type NodeAtPath, sortedNames, type TreeNode, walk } from './tree.ts';

/** Errors: TAR_INVALID for links to directories or in a circle. */
export function treeShape(index: LayerIndex, options: OverlayOptions): OverlayShape {
  const { root } = applyLayers([index], { below: 1 });
  const names = namesOf(root);
  const inodes = new Map<number, { readonly entry: IndexedEntry; readonly paths: readonly string[] }>();
  const lowerLinks: LowerLink[] = [];
  for (const [{ entry }, paths] of names) {
    if (!entry) continue;
    if (entry.type === 'hardlink') lowerLinks.push({ paths, target: cleanPath(entry.linkname), header: entry });
    else inodes.set(entry.position.head, { entry, paths });
  }
  return {
    lowerLinks,
    add({ path, position }) {
      const found = inodes.get(position.head);
      if (!found) return { headers: [], findable: false };
      // A hard link may have changed the attributes that the archive gave the file.
      const { entry } = found;
      const [first = '', ...others] = ownFirst(found.paths, path);
      const links = others.map((path) => hardLink(path, first, options, entry));
      // Only content must be findable. Other entries may have lost their names.
      const findable = entry.type === 'file' && first === path;
      return { headers: [overlayHeader(entry, first, options), ...links], findable };
    },
    rest: () => restOf(root, options),
  };
}

function namesOf(root: TreeNode): ReadonlyMap<Inode, readonly string[]> {
  const names = new Map<Inode, string[]>();
  for (const { path, node } of walk(root)) {
    if (node.children) continue;
    const known = names.get(node.inode);
    if (known) known.push(path);
    else names.set(node.inode, [path]);
  }
  return names;
}

function ownFirst(paths: readonly string[], own: string): readonly string[] {
  return paths.includes(own) ? [own, ...paths.filter((path) => path !== own)] : paths;
}

/** Whiteouts for what is not in the tree, then the directories. */
function* restOf(root: TreeNode, options: OverlayOptions): Generator<LaterEntry> {
  const directories = [...standing(root, '')];
  for (const { path, node } of directories) {
    if (!node.below || node.below.opaque) continue;
    for (const name of [...node.below.gone].sort(compareNames)) {
      const child = node.children?.get(name);
      if (child && !isVoid(child)) continue;
      const gone = joinPath(path, name);
      yield { path: gone, header: whiteoutHeader(gone, undefined, options) };
    }
  }
  for (const { path, node } of directories) {
    const { entry } = node.inode;
    const opaque = node.below?.opaque === true;
    yield { path, header: directoryHeader(entry, { path, opaque }, options), directory: { opaque, isImplied: !entry } };
  }
}

function* standing(node: TreeNode, path: string): Generator<NodeAtPath> {
  yield { path, node };
  for (const name of sortedNames(node.children ?? new Map())) {
    const child = node.children?.get(name);
    if (!child?.children || (node.below?.gone.has(name) && isVoid(child))) continue;
    yield* standing(child, joinPath(path, name));
  }
}

/** Whether there are only deletions below a name that has a whiteout itself: some programs write both. */
function isVoid({ inode, children }: TreeNode): boolean {
  return children !== undefined && !inode.entry && [...children.values()].every(isVoid);
}
