// Where a name of a layer's archive stands in the layer's unpacked tree: a directory on the way may be a symbolic link, which counts from the tree's
// root and never leads out of it, as when the layer was unpacked.
import { linkTarget, pathInRoot } from '../../rootfs/path.ts';

/** What a symbolic link in the tree points to; `undefined` for what is none. Paths have no leading `/`; the root is ``. */
export type ReadLink = (path: string) => string | undefined;

/** As the kernel: more is a circle. */
const MAX_LINKS = 255;

/** Resolves the directories of names; remembers them, because names come in the order of the tree. */
export function createResolver(readLink: ReadLink): (name: string) => string | undefined {
  const directories = new Map<string, string | undefined>([['', '']]);

  const resolveDirectory = (path: string, links: number): string | undefined => {
    if (directories.has(path)) return directories.get(path);
    const slash = path.lastIndexOf('/');
    const parent = resolveDirectory(slash < 0 ? '' : path.slice(0, slash), links);
    const found = parent === undefined ? undefined : step(parent, path.slice(slash + 1), links);
    directories.set(path, found);
    return found;
  };

  const step = (parent: string, name: string, links: number): string | undefined => {
    const path = parent === '' ? name : `${parent}/${name}`;
    const target = readLink(path);
    if (target === undefined) return path;
    if (links >= MAX_LINKS) return undefined;
    return resolveDirectory(linkTarget(path, target), links + 1);
  };

  return (name) => {
    const path = pathInRoot(name);
    const slash = path.lastIndexOf('/');
    const parent = resolveDirectory(slash < 0 ? '' : path.slice(0, slash), 0);
    if (parent === undefined || path === '') return undefined;
    return parent === '' ? path.slice(slash + 1) : `${parent}/${path.slice(slash + 1)}`;
  };
}
