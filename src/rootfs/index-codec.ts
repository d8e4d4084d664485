// Encodes a layer's index for storage beside the layer: rows of numbers and texts as JSON, compressed. The format is internal: any other
// format is treated as a missing index.
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { SparsePiece, TarEntryType } from '../tar/entry.ts';
import type { IndexedEntry, LayerIndex } from './contract.ts';
import { cleanPath } from './path.ts';

const FORM = 'images-layer-index-2';
const TYPES: readonly TarEntryType[] = ['file', 'hardlink', 'symlink', 'character', 'block', 'directory', 'fifo'];

/** name, type, size, mode, uid, gid, seconds, nanoseconds, linkname, [major, minor], head, body, end, xattrs in base64, sparse pieces. */
type Row = [
  ...[string, number, number, number, number, number, number, number, string],
  ...[readonly [number, number] | 0, number, number, number],
  ...[readonly (readonly [string, string])[] | 0, readonly (readonly [number, number])[] | 0],
];

const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();
const NO_DEVICE = { major: 0, minor: 0 };

export function encodeIndex({ entries }: LayerIndex): Uint8Array {
  const rows = entries.map(rowOf);
  return zstdCompressSync(JSON.stringify([FORM, ...rows]));
}

/** Returns `undefined` for broken data and for any other format. */
export function decodeIndex(bytes: Uint8Array): LayerIndex | undefined {
  try {
    const [form, ...rows] = JSON.parse(zstdDecompressSync(bytes).toString()) as [string, ...Row[]];
    return form === FORM ? { entries: rows.map(entryOf) } : undefined;
  } catch {
    return undefined;
  }
}

function rowOf(entry: IndexedEntry): Row {
  const { device, position, xattrs, sparse, mtime } = entry;
  return [
    entry.name,
    TYPES.indexOf(entry.type),
    entry.size,
    entry.mode,
    entry.uid,
    entry.gid,
    mtime.seconds,
    mtime.nanoseconds,
    entry.linkname,
    device.major || device.minor ? [device.major, device.minor] : 0,
    position.head,
    position.body,
    position.end,
    xattrs.size > 0 ? [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')] as const) : 0,
    sparse ? sparse.map(({ offset, length }) => [offset, length] as const) : 0,
  ];
}

function entryOf(row: Row): IndexedEntry {
  const [name, type, size, mode, uid, gid, seconds, nanoseconds, linkname, device, head, body, end, xattrs, sparse] =
    row;
  return {
    name,
    path: cleanPath(name),
    type: TYPES[type] as TarEntryType,
    size,
    mode,
    uid,
    gid,
    mtime: { seconds, nanoseconds },
    linkname,
    device: device === 0 ? NO_DEVICE : { major: device[0], minor: device[1] },
    xattrs: xattrs === 0 ? NO_XATTRS : new Map(xattrs.map(([key, value]) => [key, Buffer.from(value, 'base64')])),
    position: { head, body, end },
    ...(sparse !== 0 && { sparse: sparse.map(([offset, length]): SparsePiece => ({ offset, length })) }),
  };
}
