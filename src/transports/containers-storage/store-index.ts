// An index of the files of a store in a tar archive. Only what is needed later is recorded: records, and files with content.
import type { FileHandle } from 'node:fs/promises';

import { ImagesError } from '../../oci/errors.ts';
import type { SparsePiece } from '../../tar/entry.ts';
import { type SoughtEntry, seekEntries } from '../archive/seek-entries.ts';

/** Position of a file's content in the archive, in bytes. */
export interface FileExtent {
  readonly at: number;
  readonly size: number;
  readonly sparse?: readonly SparsePiece[];
}

export interface LayerTree {
  /** A string is the archive path to which this name is a hard link. */
  readonly files: Map<string, FileExtent | string>;
  /** Symbolic links and their targets. */
  readonly links: Map<string, string>;
}

export interface StoreIndex {
  /** Files outside of the layers' trees, by path below the graph root. */
  readonly records: ReadonlyMap<string, FileExtent>;
  /** The trees by layer id. */
  readonly trees: ReadonlyMap<string, LayerTree>;
  /** Follows a chain of hard links. */
  linked(path: string): FileExtent | undefined;
}

const TREE = /^(?:.*?\/)?overlay\/([0-9a-f]{64})\/diff\/(.+)$/s;
const IMAGES = 'overlay-images/images.json';
const RECORD = /^overlay-(?:images|layers)\//;
const MAX_LINKS = 16;

/** Errors: TAR_INVALID (also if the archive holds no store), UNSUPPORTED (a store of another driver). */
export async function indexStoreTar(archive: FileHandle): Promise<StoreIndex> {
  const records = new Map<string, FileExtent | string>();
  const trees = new Map<string, LayerTree>();
  for await (const entry of seekEntries(archive)) {
    const path = cleaned(entry.name);
    const [, id, name] = TREE.exec(path) ?? [];
    if (id === undefined || name === undefined) {
      const file = extentOf(entry);
      if (file !== undefined) records.set(path, file);
      continue;
    }
    const tree = trees.get(id) ?? { files: new Map(), links: new Map() };
    trees.set(id, tree);
    addTo(tree, name, entry);
  }
  const linked = (path: string): FileExtent | undefined => {
    let found = lookUp(path);
    for (let links = 0; typeof found === 'string' && links < MAX_LINKS; links++) found = lookUp(found);
    return typeof found === 'string' ? undefined : found;
  };
  const lookUp = (path: string): FileExtent | string | undefined => {
    const [, id = '', name = ''] = TREE.exec(path) ?? [];
    return trees.get(id)?.files.get(name) ?? records.get(path);
  };
  const root = graphRoot([...records.keys()]);
  const below = [...records].flatMap(([path, file]): [string, FileExtent][] => {
    const name = path.startsWith(root) ? path.slice(root.length) : '';
    const found = typeof file === 'string' ? linked(file) : file;
    return found && RECORD.test(name) ? [[name, found]] : [];
  });
  return { records: new Map(below), trees, linked };
}

/** If a name occurs again, the last entry counts, as when the archive is unpacked. */
function addTo(tree: LayerTree, name: string, entry: SoughtEntry): void {
  tree.files.delete(name);
  tree.links.delete(name);
  if (entry.type === 'symlink') tree.links.set(name, entry.linkname);
  const file = extentOf(entry);
  if (file !== undefined) tree.files.set(name, file);
}

function extentOf({ type, size, sparse, at, linkname }: SoughtEntry): FileExtent | string | undefined {
  if (type === 'hardlink') return cleaned(linkname);
  return type === 'file' ? { at, size, ...(sparse && { sparse }) } : undefined;
}

/** The path of the graph root, with its trailing `/`. If there are several (an image in the store may contain a store), the shortest. */
function graphRoot(paths: readonly string[]): string {
  const ending = (end: string) =>
    paths.filter((path) => path === end || path.endsWith(`/${end}`)).sort((a, b) => a.length - b.length)[0];
  const found = ending(IMAGES);
  if (found !== undefined) return found.slice(0, -IMAGES.length);
  if (ending('vfs-images/images.json') !== undefined) {
    throw new ImagesError('UNSUPPORTED', 'the store in the archive has the driver vfs', {
      hint: 'Only stores of the driver overlay are read: copy the image into one with skopeo or podman.',
    });
  }
  throw new ImagesError('TAR_INVALID', `the archive holds no containers-storage store: it has no ${IMAGES}`, {
    hint: 'It is the archive of something else, or was not written to its end.',
  });
}

function cleaned(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
