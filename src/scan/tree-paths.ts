// Paths of a tree's files and directories, as files of it write them. Pure.
import type { FileTree } from './contract.ts';

const directories = new WeakMap<FileTree, ReadonlySet<string>>();

/** All directories with files in or below them; the tree's own is empty. */
export function directoriesOf(tree: FileTree): ReadonlySet<string> {
  const known = directories.get(tree) ?? new Set(tree.files.flatMap(directoriesAbove));
  directories.set(tree, known);
  return known;
}

/** `a/b/c.yaml` → `a/b`, `a`, and the tree's own. */
export function directoriesAbove(path: string): readonly string[] {
  const above: string[] = [];
  for (let slash = path.lastIndexOf('/'); slash >= 0; slash = path.lastIndexOf('/', slash - 1))
    above.push(path.slice(0, slash));
  return [...above, ''];
}

/**
 * The directory of the tree that `path` means where `file` writes it: from the tree's top, else from a directory that the file lies in,
 * else without the directories that lie above the tree.
 */
export function directoryInRepository(tree: FileTree, file: string, path: string): string | undefined {
  const known = directoriesOf(tree);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return undefined;
  const plain = parts.join('/');
  const inside = directoriesAbove(file).map((above) => [above, plain].filter(Boolean).join('/'));
  const below = parts.slice(1).map((_, index) => parts.slice(index + 1).join('/'));
  return [plain, ...inside.toReversed(), ...below].find((directory) => known.has(directory));
}

/** `./../base/` seen from `overlays/prod` is `base`; `undefined` for what is elsewhere: other repositories and what lies outside the tree. */
export function resolveIn(directory: string, path: string): string | undefined {
  if (path.startsWith('/')) return undefined;
  const parts = directory === '' ? [] : directory.split('/');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}
