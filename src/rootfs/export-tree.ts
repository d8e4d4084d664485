// The flattened file system of an image as one tar archive. Layers are read side by side, because files may stand in any order (the same every time); directories come last, in
// walk order: their times would not survive what is unpacked into them afterwards.
import type { CallOptions } from '../io/streams/bytes.ts';
import { addAll } from '../oci/add-all.ts';
import type { TarHeader } from '../tar/entry.ts';
import { type Refit, refitted, withWholeBlocks } from '../tar/sparse-pieces.ts';
import { endOfArchive, padding, storedSize, tarHeader } from '../tar/writer.ts';
import type { IndexedEntry, Layer } from './contract.ts';
import { interleaved, type Piece } from './interleave.ts';
import { layerFiles } from './layer-files.ts';
import { packer } from './packer.ts';
import { headerOf, type Inode, type PlacedNode, type RootTree, walk } from './tree.ts';

/** Layers that are read at a time: more would hold more memory, and few machines inflate faster than they write. */
const AT_A_TIME = 2;
/** In bytes: other layers are read on while a large file of one is written. */
const AHEAD = 4 << 20;
/** In bytes: what is written of a layer, at least, before another one has its turn. */
const TURN = 1 << 20;

/** The archive's bytes. `layers` are those that the tree was made of. Errors: TAR_INVALID, COMPRESSION_INVALID, the place's. */
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
  /** Files with content by layer, in the order of their positions. */
  readonly contents: ReadonlyMap<number, readonly Inode[]>;
  readonly others: readonly Inode[];
  readonly directories: readonly PlacedNode[];
  /** Where an inode has several names, or none that is its entry's own: its own first, where that is one of them. */
  readonly names: ReadonlyMap<Inode, readonly string[]>;
}

function sorted(tree: RootTree): Sorted {
  const names = new Map<Inode, string[]>();
  const directories: PlacedNode[] = [];
  const contents = new Map<number, Inode[]>();
  const others: Inode[] = [];
  for (const placed of walk(tree.root)) {
    const { path, node } = placed;
    const { inode } = node;
    if (node.children) {
      directories.push(placed);
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

/** By how far their archives are read: none is left to be read alone at the end. */
function longestFirst<T extends readonly [number, readonly Inode[]]>(contents: readonly T[]): readonly T[] {
  const length = ([, inodes]: T): number => inodes.at(-1)?.entry?.position.end ?? 0;
  return contents.toSorted((a, b) => length(b) - length(a));
}

/** Of what is no directory. */
function entryOf({ entry }: Inode): IndexedEntry {
  if (!entry) throw new Error('a file without an entry');
  return entry;
}

/** The inode under its first name, then its other names as links to that one. */
function headersOf(inode: Inode, names: Sorted['names']): readonly [TarHeader, ...TarHeader[]] {
  const entry = entryOf(inode);
  const [first = entry.path, ...others] = names.get(inode) ?? [];
  const { sparse: _, ...plain } = entry;
  const links = others.map((name): TarHeader => ({ ...plain, name, type: 'hardlink', linkname: first, size: 0 }));
  return [entry.name === first ? entry : { ...entry, name: first }, ...links];
}

function directoryHeader({ path, node }: PlacedNode): TarHeader {
  return { ...headerOf(node), name: path === '' ? './' : `${path}/` };
}

async function* layerPieces(
  layer: Layer,
  { inodes, names }: { readonly inodes: readonly Inode[]; readonly names: Sorted['names'] },
  options: CallOptions,
): AsyncGenerator<Piece> {
  const out = packer();
  let at = 0;
  /** Of files, since the last whole piece. */
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
