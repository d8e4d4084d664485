// Where the bytes of an image are: in which layers, below which directories, and how many of them later layers have made useless.
import { applyLayers } from './apply-layers.ts';
import type { LayerIndex } from './contract.ts';
import { joinPath } from './path.ts';
import { type Inode, type RootTree, sortedNames, type TreeNode } from './tree.ts';

export interface LayerUsage {
  /** Number of entries in its archive. */
  readonly entries: number;
  /** Bytes of file contents. */
  readonly bytes: number;
  /** The part of `bytes` that no name leads to any more, because this layer or a later one deleted or replaced the file. */
  readonly wasted: number;
}

export interface WastedFile {
  readonly path: string;
  readonly bytes: number;
  /** The layer with the file, counted from the base. */
  readonly layer: number;
  /** The layer that deleted or replaced its last name. */
  readonly by: number;
}

export interface DirectoryUsage {
  /** Empty for the root directory. */
  readonly path: string;
  /** Bytes of all files below. A file with several names counts at the first one. */
  readonly bytes: number;
  readonly files: number;
  readonly children: readonly DirectoryUsage[];
}

export interface Usage {
  readonly layers: readonly LayerUsage[];
  /** The largest first. */
  readonly wasted: readonly WastedFile[];
  readonly root: DirectoryUsage;
}

/** `indexes` begin with the base. Errors: TAR_INVALID. */
export function usageOf(indexes: readonly LayerIndex[]): Usage {
  const wasted: WastedFile[] = [];
  const removed = (path: string, inode: Inode, by: number): void => {
    const bytes = inode.links === 0 && inode.entry?.type === 'file' ? inode.entry.size : 0;
    if (bytes > 0) wasted.push({ path, bytes, layer: inode.layer, by });
  };
  const tree = applyLayers(indexes, { watcher: { removed } });
  const layers = indexes.map(({ entries }, layer) => ({
    entries: entries.length,
    bytes: entries.reduce((sum, { type, size }) => sum + (type === 'file' ? size : 0), 0),
    wasted: wasted.reduce((sum, file) => sum + (file.layer === layer ? file.bytes : 0), 0),
  }));
  return { layers, wasted: wasted.sort((a, b) => b.bytes - a.bytes), root: directoryUsage(tree) };
}

function directoryUsage({ root }: RootTree): DirectoryUsage {
  const seen = new Set<Inode>();
  const measure = (node: TreeNode, path: string): DirectoryUsage => {
    let [bytes, files] = [0, 0];
    const children: DirectoryUsage[] = [];
    for (const name of sortedNames(node.children as Map<string, TreeNode>)) {
      const child = node.children?.get(name) as TreeNode;
      if (child.children) {
        const inside = measure(child, joinPath(path, name));
        children.push(inside);
        bytes += inside.bytes;
        files += inside.files;
        continue;
      }
      files++;
      if (!seen.has(child.inode)) bytes += child.inode.entry?.size ?? 0;
      seen.add(child.inode);
    }
    return { path, bytes, files, children };
  };
  return measure(root, '');
}
