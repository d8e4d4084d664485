// Overlays two trees: a context directory, and in its root the files of the archive that the `tar` script wrote.
import type { Inode, RootTree, TreeNode } from '../../rootfs/tree.ts';
import type { TreeSource } from '../files/tree-source.ts';

/** Names in `over` hide those in `base`. `over` has no directories. */
export function joinedSources(base: TreeSource, over: TreeSource): TreeSource {
  const moved = new Map<Inode, Inode>();
  const children = new Map<string, TreeNode>(base.tree.root.children);
  for (const [name, node] of over.tree.root.children ?? []) {
    const inode: Inode = { ...node.inode, layer: node.inode.layer + base.layers.length };
    moved.set(inode, node.inode);
    children.set(name, { inode, layer: inode.layer });
  }
  const tree: RootTree = { root: { ...base.tree.root, children } };
  return {
    name: base.name,
    tree,
    layers: [...base.layers, ...over.layers],
    contentId: (inode, options) => {
      const original = moved.get(inode);
      return original ? over.contentId(original, options) : base.contentId(inode, options);
    },
    archive: (inode, options) => {
      const original = moved.get(inode);
      return original ? over.archive(original, options) : base.archive(inode, options);
    },
  };
}
