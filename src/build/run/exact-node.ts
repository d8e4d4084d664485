// The node at exactly this path. Links are not followed, because overlayfs follows none between its layers.
import type { RootTree, TreeNode } from '../../rootfs/tree.ts';

export function exactNode(tree: RootTree, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = tree.root;
  for (const part of path === '' ? [] : path.split('/')) node = node?.children?.get(part);
  return node;
}
