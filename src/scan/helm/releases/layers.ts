// Merges layers of values: files of the tree, texts and maps. Later ones outweigh earlier ones.
import { isImagesError } from '../../../oci/errors.ts';
import type { FileTree } from '../../contract.ts';
import { resolveIn } from '../../tree-paths.ts';
import { setAtPath } from '../set-values.ts';
import { type Dictionary, dictionary, isDictionary } from '../template/values.ts';
import { readYaml } from '../template/yaml-values.ts';
import { mergeOver } from '../values.ts';

export interface Layers {
  readonly values: Dictionary;
  /** Sources that were named but are not available. */
  readonly missing: string[];
  add(values: unknown): void;
  addText(text: string, what: string): void;
  /** Sets one value at its path. */
  set(path: string, value: unknown, isString?: boolean): void;
  addFile(tree: FileTree, file: string | undefined, what: string): Promise<void>;
}

export function createLayers(): Layers {
  const values = dictionary();
  const missing: string[] = [];
  const layers: Layers = {
    values,
    missing,
    add: (more) => {
      if (isDictionary(more)) mergeOver(values, more);
    },
    addText: (text, what) => {
      const read = readYaml(text);
      if (isDictionary(read)) mergeOver(values, read);
      else if (read !== null) missing.push(what);
    },
    set: (path, value, isString = false) => {
      try {
        if (typeof value !== 'object') setAtPath(values, path, { value: String(value), isString });
      } catch (error) {
        if (!isImagesError(error, 'USAGE')) throw error;
        missing.push(path);
      }
    },
    addFile: async (tree, file, what) => {
      if (file !== undefined && tree.has(file)) layers.addText(await tree.read(file), what);
      else missing.push(what);
    },
  };
  return layers;
}

export function doubtOf({ missing }: Layers): { readonly doubt?: string } {
  return missing.length === 0 ? {} : { doubt: `values of [${missing[0]}] are not here` };
}

/** Finds a file whose path begins at the root of the repository. That root may lie below or above the root of the tree. */
export function fileInRepository(tree: FileTree, from: string, path: string): string | undefined {
  const plain = resolveIn('', path.replace(/^\/+/, ''));
  if (plain === undefined) return undefined;
  const parts = from.split('/').slice(0, -1);
  const above = parts.map((_, index) => [...parts.slice(0, index + 1), plain].join('/'));
  const below = plain.split('/').map((_, index, all) => all.slice(index).join('/'));
  return [plain, ...above, ...below].find((file) => tree.has(file));
}
