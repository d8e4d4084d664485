// A store in a tar archive as names and headers: what the rules look at. Bodies are passed over.
import type { FileHandle } from 'node:fs/promises';
import type { CallOptions } from '../../../io/streams/bytes.ts';
import { ImagesError } from '../../../oci/errors.ts';
import { type SoughtEntry, seekEntries } from '../../archive/seek-entries.ts';

export interface StoreModel {
  /** Below the graph root, by path; directories without the `/` at their end. */
  readonly entries: ReadonlyMap<string, SoughtEntry>;
  /** Of the graph root in the archive: empty, or with a `/` at its end. */
  readonly root: string;
  /** The directories that lead there, and what does not belong there. */
  readonly outside: readonly SoughtEntry[];
  /** Names that come again. */
  readonly duplicates: readonly string[];
  /** What is in the tree of a layer, itself with it, by path. */
  tree(id: string): readonly (readonly [string, SoughtEntry])[];
  /** Names directly in a directory. */
  children(path: string): readonly string[];
}

const TREE = /^overlay\/([^/]+)\/diff(?:\/|$)/;
const IMAGES = 'overlay-images/images.json';

/** Errors: TAR_INVALID, also where there is no store in it. */
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

/** To its directory, and that to its own: not all need have entries. */
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

/** Of several, as of a store within an image of the store, the shortest. */
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
