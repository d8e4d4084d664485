// Finds the path in a layer's unpacked tree for a name in its archive. A directory on the way may be a symbolic link. As when the layer was unpacked, links
// count from the root of the tree and never lead out of it.
import { linkTarget, pathInRoot } from '../../rootfs/path.ts';

/** The target of a symbolic link in the tree. Returns `undefined` if the path is not a link. Paths have no leading `/`; the root is ``. */
export type ReadLink = (path: string) => string | undefined;

/** Limit of links, like the kernel's: more are a cycle. */
const MAX_LINKS = 255;

/** Resolves the directories of names. They are cached, because names come in the order of the tree. */
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
