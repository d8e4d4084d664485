// Resolves mount points in a root file system, following links inside it before anything is mounted. Missing mount points are put into a layer below all
// others, so that a mount leaves no trace in the new layer.
import { ImagesError } from '../../oci/errors.ts';
import { joinPath, linkTarget, parentPath } from '../../rootfs/path.ts';
import { findPath, headerOf, type RootTree, type TreeNode } from '../../rootfs/tree.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { printableName } from '../../tar/names.ts';
import { plainHeader } from '../../tar/plain-header.ts';
import { imageAttributes } from './overlay-attributes.ts';

export type MountKind = 'directory' | 'file';

export interface MountPoint {
  /** Path in the root file system, with links resolved: `run/secrets/x`. */
  readonly path: string;
  readonly kind: MountKind;
}

const MAX_LINKS = 40;

/** Errors: PATH_UNKNOWN (links in a circle), CONFIG_INVALID (a file in place of a directory, or the reverse). */
export function mountPoint(tree: RootTree, target: string, kind: MountKind): MountPoint {
  const { path, node } = resolve(tree, target);
  if (node && (node.children !== undefined) !== (kind === 'directory')) {
    const there = node.children ? 'a directory' : 'no directory';
    throw new ImagesError(
      'CONFIG_INVALID',
      `what is mounted is ${kind === 'file' ? 'a file' : 'a directory'}, what is there is ${there} [${printableName(target)}]`,
    );
  }
  if (path === '')
    throw new ImagesError('CONFIG_INVALID', `nothing can be mounted on the root [${printableName(target)}]`);
  return { path, kind };
}

/** `node` is absent if nothing exists at the path. */
function resolve(tree: RootTree, target: string): { readonly path: string; readonly node: TreeNode | undefined } {
  let parts = namesOf(target);
  let node: TreeNode | undefined = tree.root;
  let path = '';
  for (let links = 0; ; ) {
    const [part, ...rest]: readonly string[] = parts;
    if (part === undefined) return { path, node };
    if (node && !node.children) throw belowFile(target, path);
    const here: string = joinPath(path, part);
    const child: TreeNode | undefined = node?.children?.get(part);
    const entry = child?.inode.entry;
    if (entry?.type === 'symlink') {
      if (++links > MAX_LINKS)
        throw new ImagesError('PATH_UNKNOWN', `symbolic links lead in a circle [${printableName(target)}]`);
      parts = [...namesOf(linkTarget(here, entry.linkname)), ...rest];
      node = tree.root;
      path = '';
      continue;
    }
    [node, path, parts] = [child, here, rest];
  }
}

function belowFile(target: string, path: string): ImagesError {
  return new ImagesError(
    'CONFIG_INVALID',
    `what is mounted would be below a file [${printableName(target)}: /${printableName(path)}]`,
  );
}

function namesOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** A layer with the missing mount points, and with their parent directories as they are. One inside another mount is not in it: it is created in that mount. */
export function missingMountPoints(tree: RootTree, points: readonly MountPoint[]): readonly TarHeader[] {
  const made = new Map<string, TarHeader>();
  for (const { path, kind } of points) {
    if (findPath(tree, path) || points.some((other) => path.startsWith(`${other.path}/`))) continue;
    for (let above = parentPath(path); above !== '' && !made.has(above); above = parentPath(above)) {
      const node = findPath(tree, above)?.node;
      made.set(above, node ? described(node, above) : emptyHeader(`${above}/`, 'directory'));
    }
    made.set(path, emptyHeader(kind === 'directory' ? `${path}/` : path, kind));
  }
  return [...made.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function described(node: TreeNode, path: string): TarHeader {
  const header = headerOf(node);
  return { ...header, name: `${path}/`, xattrs: imageAttributes(header.xattrs) };
}

export function emptyHeader(
  name: string,
  type: TarHeader['type'],
  mode: number = type === 'directory' ? 0o755 : 0o644,
): TarHeader {
  return plainHeader({ name, type, mode });
}
