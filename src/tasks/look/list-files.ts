// `ls`, `docker_ls`, `docker_ls_layers`: the names in an image.
import { ImagesError } from '../../oci/errors.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import type { LayerIndex } from '../../rootfs/contract.ts';
import { joinPath, pathInRoot } from '../../rootfs/path.ts';
import {
  findPath,
  headerOf,
  type PlacedNode,
  type RootTree,
  sortedNames,
  type TreeNode,
  walk,
} from '../../rootfs/tree.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { printableName, sortNames } from '../../tar/names.ts';

export interface ListedFile {
  /** Without a leading `/`. */
  readonly path: string;
  readonly header: TarHeader;
  /** The layer that its content, or description, is in, counted from the base. */
  readonly layer: number;
}

/** All names below the root in byte order, directories with a `/` at their end: as `tar t` of a container's export, sorted. */
export function flatNames(tree: RootTree): readonly string[] {
  const names: string[] = [];
  for (const { path, node } of walk(tree.root)) if (path !== '') names.push(node.children ? `${path}/` : path);
  return sortNames(names);
}

export interface ListFilesOptions {
  /** All below, not only what is in the directory. */
  readonly recursive?: boolean;
}

/** What is in a directory, or the one file. A link at the path's end is followed where it is written with a `/`. Errors: PATH_UNKNOWN. */
export function listPath(
  tree: RootTree,
  path: string,
  { recursive = false }: ListFilesOptions = {},
): readonly ListedFile[] {
  const found = requirePath(tree, path, { follow: path.endsWith('/') });
  if (!found.node.children) return [listed(found)];
  if (recursive) return [...walk(found.node, found.path)].slice(1).map(listed);
  return sortedNames(found.node.children).map((name) =>
    listed({ path: joinPath(found.path, name), node: found.node.children?.get(name) as TreeNode }),
  );
}

/** What is at a path of an image. Errors: PATH_UNKNOWN. */
export function requirePath(tree: RootTree, path: string, options: { readonly follow: boolean }): PlacedNode {
  const found = findPath(tree, pathInRoot(path), options);
  if (!found) throw noSuchPath(path);
  return found;
}

/** The error of a path that an image does not have: PATH_UNKNOWN. */
export function noSuchPath(path: string): ImagesError {
  return new ImagesError('PATH_UNKNOWN', `no such file in the image [${printableName(path)}]`, {
    hint: '`images ls -R IMAGE` lists all, `images why IMAGE PATH` tells whether a layer deleted it.',
  });
}

/** A layer by itself: its whiteouts are left out, and what it links to in layers below. */
export function layerTree(index: LayerIndex): RootTree {
  return applyLayers([index], { below: 1 });
}

function listed({ path, node }: PlacedNode): ListedFile {
  return { path, header: headerOf(node), layer: node.inode.layer };
}
