// Writes the flattened file system of an image as one tar archive. Files may be in any order (the same each time), so layers are read in parallel. Directories
// come last, in walk order, because unpacking files into a directory changes its time.
import type { CallOptions } from '../io/streams/bytes.ts';
import { addAll } from '../oci/add-all.ts';
import type { TarHeader } from '../tar/entry.ts';
import { type Refit, refitted, withWholeBlocks } from '../tar/sparse-pieces.ts';
import { endOfArchive, padding, storedSize, tarHeader } from '../tar/writer.ts';
import type { IndexedEntry, Layer } from './contract.ts';
import { interleaved, type Piece } from './interleave.ts';
import { layerFiles } from './layer-files.ts';
import { packer } from './packer.ts';
import { headerOf, type Inode, type NodeAtPath, type RootTree, walk } from './tree.ts';

/** Layers read in parallel. More would need more memory, and few machines decompress faster than they write. */
const AT_A_TIME = 2;
/** In bytes: how far other layers are read ahead while a large file is written. */
const AHEAD = 4 << 20;
/** In bytes: the least that is written of a layer before it is another layer's turn. */
const TURN = 1 << 20;

/** The bytes of the archive. `layers` are those of which the tree was made. Errors: TAR_INVALID, COMPRESSION_INVALID, those of the transport. */
export async function* exportTree(
  tree: RootTree,
  layers: readonly Layer[],
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const { contents, others, directories, names } = sorted(tree);
  const out = packer();
  for (const inode of others) for (const header of headersOf(inode, names)) yield* out.add(tarHeader(header));
  yield* out.flush();
  const streams = longestFirst([...contents]).map(
    ([at, inodes]) =>
      () =>
        layerPieces(layers[at] as Layer, { inodes, names }, options),
  );
  yield* interleaved(streams, { most: AT_A_TIME, ahead: AHEAD });
  for (const directory of directories) yield* out.add(tarHeader(directoryHeader(directory)));
  yield* out.add(endOfArchive());
  yield* out.flush();
}

interface Sorted {
  /** Files with content, by layer, in the order of their positions. */
  readonly contents: ReadonlyMap<number, readonly Inode[]>;
  readonly others: readonly Inode[];
  readonly directories: readonly NodeAtPath[];
  /** For inodes with several names, or whose entry's own name is gone: all names, the entry's own first if it still exists. */
  readonly names: ReadonlyMap<Inode, readonly string[]>;
}

function sorted(tree: RootTree): Sorted {
  const names = new Map<Inode, string[]>();
  const directories: NodeAtPath[] = [];
  const contents = new Map<number, Inode[]>();
  const others: Inode[] = [];
  for (const found of walk(tree.root)) {
    const { path, node } = found;
    const { inode } = node;
    if (node.children) {
      directories.push(found);
      continue;
    }
    const known = names.get(inode);
    if (known) {
      if (entryOf(inode).path === path) known.unshift(path);
      else known.push(path);
      continue;
    }
    if (inode.links > 1 || entryOf(inode).path !== path) names.set(inode, [path]);
    if (entryOf(inode).type !== 'file' || storedSize(entryOf(inode)) === 0) others.push(inode);
    else ofLayer(contents, inode.layer).push(inode);
  }
  for (const inodes of contents.values()) inodes.sort((a, b) => entryOf(a).position.body - entryOf(b).position.body);
  return { contents, others, directories, names };
}

function ofLayer(contents: Map<number, Inode[]>, layer: number): Inode[] {
  const known = contents.get(layer);
  if (known) return known;
  const made: Inode[] = [];
  contents.set(layer, made);
  return made;
}

/** Sorted by how much of their archive must be read, so that no long one is read alone at the end. */
function longestFirst<T extends readonly [number, readonly Inode[]]>(contents: readonly T[]): readonly T[] {
  const length = ([, inodes]: T): number => inodes.at(-1)?.entry?.position.end ?? 0;
  return contents.toSorted((a, b) => length(b) - length(a));
}

/** The entry of an inode that is no directory. */
function entryOf({ entry }: Inode): IndexedEntry {
  if (!entry) throw new Error('a file without an entry');
  return entry;
}

/** Headers for the inode: under its first name, then a hard link for each other name. */
function headersOf(inode: Inode, names: Sorted['names']): readonly [TarHeader, ...TarHeader[]] {
  const entry = entryOf(inode);
  const [first = entry.path, ...others] = names.get(inode) ?? [];
  const { sparse: _, ...plain } = entry;
  const links = others.map((name): TarHeader => ({ ...plain, name, type: 'hardlink', linkname: first, size: 0 }));
  return [entry.name === first ? entry : { ...entry, name: first }, ...links];
}

function directoryHeader({ path, node }: NodeAtPath): TarHeader {
  return { ...headerOf(node), name: path === '' ? './' : `${path}/` };
}

async function* layerPieces(
  layer: Layer,
  { inodes, names }: { readonly inodes: readonly Inode[]; readonly names: Sorted['names'] },
  options: CallOptions,
): AsyncGenerator<Piece> {
  const out = packer();
  let at = 0;
  /** Bytes of files since the last complete piece. */
  let given = 0;
  let chunks: Uint8Array[] = [];
  let header: TarHeader | undefined;
  let refit: Refit | undefined;
  const piece = (whole: boolean): Piece => {
    const all = [...chunks, ...out.flush()];
    chunks = [];
    return { chunks: all, whole };
  };
  for await (const portions of layerFiles(layer, inodes.map(entryOf), { ...options, whole: true })) {
    for (const { file, bytes, begins, ends } of portions) {
      const inode = inodes[at] as Inode;
      if (begins) {
        const [given] = headersOf(inode, names);
        header = withWholeBlocks(given);
        refit = refitted(given, header);
        addAll(chunks, out.add(tarHeader(header)));
      }
      if (refit) for (const portion of refit(bytes)) addAll(chunks, out.add(portion));
      else addAll(chunks, out.add(bytes));
      if (!ends) continue;
      addAll(chunks, out.add(padding(storedSize(header ?? file))));
      const [, ...links] = headersOf(inode, names);
      for (const link of links) addAll(chunks, out.add(tarHeader(link)));
      at++;
      given += storedSize(file);
      if (given < TURN) continue;
      given = 0;
      yield piece(true);
    }
    yield piece(false);
  }
}
