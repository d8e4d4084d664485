// A store in a tar archive as names and headers, for the rules. Bodies are skipped.
import type { FileHandle } from 'node:fs/promises';
import type { CallOptions } from '../../../io/streams/bytes.ts';
import { ImagesError } from '../../../oci/errors.ts';
import { type SoughtEntry, seekEntries } from '../../archive/seek-entries.ts';

export interface StoreModel {
  /** Entries by path below the graph root; directories without the trailing `/`. */
  readonly entries: ReadonlyMap<string, SoughtEntry>;
  /** The path of the graph root in the archive: empty, or with a trailing `/`. */
  readonly root: string;
  /** Entries outside of the graph root: the directories that lead to it, and misplaced ones. */
  readonly outside: readonly SoughtEntry[];
  /** Names that occur more than once. */
  readonly duplicates: readonly string[];
  /** The tree of a layer by path, including its root. */
  tree(id: string): readonly (readonly [string, SoughtEntry])[];
  /** The names directly in a directory. */
  children(path: string): readonly string[];
}

const TREE = /^overlay\/([^/]+)\/diff(?:\/|$)/;
const IMAGES = 'overlay-images/images.json';

/** Errors: TAR_INVALID, also if the archive holds no store. */
export async function readStoreModel(archive: FileHandle, options: CallOptions): Promise<StoreModel> {
  const all: SoughtEntry[] = [];
  for await (const entry of seekEntries(archive, options)) all.push(entry);
  const root = graphRoot(all);
  const entries = new Map<string, SoughtEntry>();
  const names = new Map<string, Set<string>>();
  const trees = new Map<string, [string, SoughtEntry][]>();
  const outside: SoughtEntry[] = [];
  const duplicates: string[] = [];
  for (const entry of all) {
    const name = entry.name.replace(/^(?:\.?\/)+/, '');
    if (!name.startsWith(root) && `${name}/` !== root) {
      outside.push(entry);
      continue;
    }
    const path = name.slice(root.length).replace(/\/+$/, '');
    if (entries.has(path)) duplicates.push(entry.name);
    else addName(names, path);
    entries.set(path, entry);
    const [, id] = TREE.exec(path) ?? [];
    if (id === undefined) continue;
    const tree = trees.get(id);
    if (tree) tree.push([path, entry]);
    else trees.set(id, [[path, entry]]);
  }
  const [tree, children] = [(id: string) => trees.get(id) ?? [], (path: string) => [...(names.get(path) ?? [])]];
  return { entries, root, outside, duplicates, tree, children };
}

/** Adds a path to its parent directory, and recursively that one to its own: not all of them need have entries. */
function addName(names: Map<string, Set<string>>, path: string): void {
  if (path === '') return;
  const slash = path.lastIndexOf('/');
  const parent = path.slice(0, Math.max(slash, 0));
  const known = names.get(parent);
  if (known) known.add(path.slice(slash + 1));
  else {
    names.set(parent, new Set([path.slice(slash + 1)]));
    addName(names, parent);
  }
}

/** The path of the graph root. If there are several (an image in the store may contain a store), the shortest. */
function graphRoot(entries: readonly SoughtEntry[]): string {
  const found = entries
    .map(({ name }) => name.replace(/^(?:\.?\/)+/, ''))
    .filter((name) => name === IMAGES || name.endsWith(`/${IMAGES}`))
    .sort((a, b) => a.length - b.length)[0];
  if (found !== undefined) return found.slice(0, -IMAGES.length);
  throw new ImagesError('TAR_INVALID', `the archive holds no containers-storage store: it has no ${IMAGES}`, {
    hint: '`images check oci-archive:FILE` looks at images in other archives.',
  });
}
