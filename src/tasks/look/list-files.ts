// `ls`, `docker_ls`: lists the files of an image.
import { checkArguments, TEXT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import type { Layer, LayerIndex } from '../../rootfs/contract.ts';
import { indexLayer, indexLayers } from '../../rootfs/layer-index.ts';
import { joinPath, pathInRoot } from '../../rootfs/path.ts';
import {
  findPath,
  headerOf,
  type NodeAtPath,
  type RootTree,
  sortedNames,
  type TreeNode,
  walk,
} from '../../rootfs/tree.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { printableName, sortNames } from '../../tar/names.ts';
import { OPEN_IMAGE, OPTIONS } from '../arguments.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import type { OpenedImage } from '../transfer/tree-source.ts';
import { selectLayer } from './select-layers.ts';

export interface ListedFile {
  /** Without a leading `/`. */
  readonly path: string;
  readonly header: TarHeader;
  /** The layer with its content or description, counted from the base. */
  readonly layer: number;
}

/** All names below the root in byte order, directories with a trailing `/`: like the sorted output of `tar t` for an exported container. */
export function flatNames(tree: RootTree): readonly string[] {
  const names: string[] = [];
  for (const { path, node } of walk(tree.root)) if (path !== '') names.push(node.children ? `${path}/` : path);
  return sortNames(names);
}

export interface ListFilesOptions {
  /** Lists everything below the directory, not only its entries. */
  readonly recursive?: boolean;
}

export interface ListImageOptions extends ListFilesOptions {
  /** Lists what this layer alone has: see `selectLayer`. */
  readonly layer?: string;
  readonly call?: TaskCall;
}

/**
 * The files at a path of an image, as `listPath` lists them. Reads the layers, or with `layer` only that one. Errors: PATH_UNKNOWN; USAGE if no layer is
 * called `layer`; TAR_INVALID, COMPRESSION_INVALID, those of the location.
 */
export async function listImageFiles(
  image: Pick<OpenedImage, 'layers'>,
  path: string,
  options: ListImageOptions = {},
): Promise<readonly ListedFile[]> {
  checkArguments({ image: [image, OPEN_IMAGE], path: [path, TEXT], options: [options, OPTIONS] });
  const { layers } = image;
  const { layer, recursive = false, call = {} } = options;
  if (layer === undefined) {
    return listPath(applyLayers(await indexLayers(layers, callOptions(call))), path, { recursive });
  }
  const at = selectLayer(layers, layer);
  const tree = layerTree(await indexLayer(layers[at] as Layer, callOptions(call)));
  return listPath(tree, path, { recursive }).map((file) => ({ ...file, layer: at }));
}

/** The entries of a directory, or the one file. A symbolic link at the end of the path is followed if the path has a trailing `/`. Errors: PATH_UNKNOWN. */
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

/** The node at a path of an image. Errors: PATH_UNKNOWN. */
export function requirePath(tree: RootTree, path: string, options: { readonly follow: boolean }): NodeAtPath {
  const found = findPath(tree, pathInRoot(path), options);
  if (!found) throw noSuchPath(path);
  return found;
}

/** The error for a path that an image does not have: PATH_UNKNOWN. */
export function noSuchPath(path: string): ImagesError {
  return new ImagesError('PATH_UNKNOWN', `no such file in the image [${printableName(path)}]`, {
    hint: '`images ls -R IMAGE` lists all, `images why IMAGE PATH` tells whether a layer deleted it.',
  });
}

/** The tree of one layer alone, without its whiteouts. A hard link to a file of a lower layer is listed as a hard link: the file's own header is not known. */
export function layerTree(index: LayerIndex): RootTree {
  return applyLayers([index], { below: 1 });
}

function listed({ path, node }: NodeAtPath): ListedFile {
  return { path, header: headerOf(node), layer: node.inode.layer };
}
