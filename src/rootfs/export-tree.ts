// The flattened file system of an image as one tar archive. Layers are read side by side, because files may stand in any order; directories come last, in
// walk order: their times would not survive what is unpacked into them afterwards.
import type { CallOptions } from '../registry/contract.ts';
import type { TarHeader } from '../tar/entry.ts';
import { endOfArchive, padding, tarHeader } from '../tar/writer.ts';
import type { IndexedEntry, Layer } from './contract.ts';
import { interleaved, type Piece } from './interleave.ts';
import { layerFiles, storedSize } from './layer-files.ts';
import { packer } from './packer.ts';
import { headerOf, type Inode, type RootTree, type TreeNode, walk } from './tree.ts';

/** Layers that are read at a time: more would hold more memory, and few machines inflate faster than they write. */
const AT_A_TIME = 2;

/** The archive's bytes. `layers` are those that the tree was made of. Errors: TAR_INVALID, COMPRESSION_INVALID, the place's. */
export async function* exportTree(
  tree: RootTree,
  layers: readonly Layer[],
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const { contents, others, directories } = sorted(tree);
  const out = packer();
  for (const inode of others) for (const header of headersOf(inode)) yield* out.add(tarHeader(header));
  yield* out.flush();
  const streams = [...contents].map(
    ([at, inodes]) =>
      () =>
        layerPieces(layers[at] as Layer, inodes, options),
  );
  yield* interleaved(streams, AT_A_TIME);
  for (const header of directories) yield* out.add(tarHeader(header));
  yield* out.add(endOfArchive());
  yield* out.flush();
}

interface NamedInode {
  readonly entry: IndexedEntry;
  /** Its own name first, where that is still one of its names. */
  readonly names: string[];
}

interface Sorted {
  /** Files with content by layer, in the order of their positions. */
  readonly contents: ReadonlyMap<number, readonly NamedInode[]>;
  readonly others: readonly NamedInode[];
  readonly directories: readonly TarHeader[];
}

function sorted(tree: RootTree): Sorted {
  const named = new Map<Inode, NamedInode>();
  const directories: TarHeader[] = [];
  for (const { path, node } of walk(tree.root)) {
    if (node.children) directories.push({ ...headerOf(node), name: path === '' ? './' : `${path}/` });
    else addName(named, node, path);
  }
  const contents = new Map<number, NamedInode[]>();
  const others: NamedInode[] = [];
  for (const [{ layer }, inode] of named) {
    if (inode.entry.type !== 'file' || storedSize(inode.entry) === 0) others.push(inode);
    else ofLayer(contents, layer).push(inode);
  }
  for (const inodes of contents.values()) inodes.sort((a, b) => a.entry.position.body - b.entry.position.body);
  return { contents, others, directories };
}

function ofLayer(contents: Map<number, NamedInode[]>, layer: number): NamedInode[] {
  const known = contents.get(layer);
  if (known) return known;
  const made: NamedInode[] = [];
  contents.set(layer, made);
  return made;
}

function addName(named: Map<Inode, NamedInode>, { inode }: TreeNode, path: string): void {
  const known = named.get(inode);
  if (!known) named.set(inode, { entry: inode.entry as IndexedEntry, names: [path] });
  else if (known.entry.path === path) known.names.unshift(path);
  else known.names.push(path);
}

/** The inode under its first name, then its other names as links to that one. */
function headersOf({ entry, names }: NamedInode): readonly TarHeader[] {
  const [first = entry.path, ...others] = names;
  const { sparse: _, ...plain } = entry;
  const links = others.map((name): TarHeader => ({ ...plain, name, type: 'hardlink', linkname: first, size: 0 }));
  return [{ ...entry, name: first }, ...links];
}

async function* layerPieces(layer: Layer, inodes: readonly NamedInode[], options: CallOptions): AsyncGenerator<Piece> {
  const out = packer();
  let at = 0;
  const files = inodes.map(({ entry }) => entry);
  for await (const portions of layerFiles(layer, files, options)) {
    const chunks: Uint8Array[] = [];
    for (const { file, bytes, begins, ends } of portions) {
      const [first, ...links] = headersOf(inodes[at] as NamedInode) as [TarHeader, ...TarHeader[]];
      if (begins) chunks.push(...out.add(tarHeader(first)));
      chunks.push(...out.add(bytes));
      if (!ends) continue;
      chunks.push(...out.add(padding(storedSize(file))));
      for (const link of links) chunks.push(...out.add(tarHeader(link)));
      at++;
    }
    chunks.push(...out.flush());
    yield { chunks, whole: portions.at(-1)?.ends ?? true };
  }
}
