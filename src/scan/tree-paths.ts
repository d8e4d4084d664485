// Resolves paths that files of a tree use to refer to other files and directories. Pure.
import type { FileTree } from './contract.ts';

const directories = new WeakMap<FileTree, ReadonlySet<string>>();

/** All directories with files in or below them. The empty path is the root of the tree. */
export function directoriesOf(tree: FileTree): ReadonlySet<string> {
  const known = directories.get(tree) ?? new Set(tree.files.flatMap(directoriesAbove));
  directories.set(tree, known);
  return known;
}

/** The parent directories: `a/b/c.yaml` → `a/b`, `a`, and the empty path of the root. */
export function directoriesAbove(path: string): readonly string[] {
  const above: string[] = [];
  for (let slash = path.lastIndexOf('/'); slash >= 0; slash = path.lastIndexOf('/', slash - 1))
    above.push(path.slice(0, slash));
  return [...above, ''];
}

/**
 * The directory to which `path` in `file` refers. It is looked for from the root of the tree, then from the parent directories of the file,
 * and last without leading directories, which may lie above the tree.
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

/** Resolves a relative path: `./../base/` in `overlays/prod` is `base`. Returns `undefined` for other repositories and for paths outside the tree. */
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
