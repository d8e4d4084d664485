// Writes tar archives that GNU tar, bsdtar, busybox, Go and Python all read: ustar headers; GNU long names for names that do not fit (busybox reads no other
// kind, and every reader takes them as bytes); binary numbers if octal is too short; and a pax header only for what nothing else can hold: fractions of
// seconds, extended attributes, sparse files, and large numbers a second time, for readers that do not know binary ones. Equal inputs give equal bytes.
import { addAll } from '../oci/add-all.ts';
import { ImagesError } from '../oci/errors.ts';
import type { SparsePiece, TarEntryType, TarHeader } from './entry.ts';
import { BLOCK, paddedToBlock } from './header.ts';
import { type HeaderField, headerBlock, isOctal, MAX_NAME, NO_NUMBERS } from './header-block.ts';
import { compareNames, encodeName, printableName } from './names.ts';
import { paxRecord } from './pax-records.ts';
import { formatTime } from './time.ts';

const TYPEFLAGS: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};
const MAX_PREFIX = 155;
const ZEROS: Uint8Array = new Uint8Array(2 * BLOCK);

/** In bytes. Headers and small files are joined up to this size. */
const CHUNK = 1 << 16;

export interface TarInput extends TarHeader {
  /** The content of a file, exactly `size` bytes; of a sparse file only its pieces, one after the other. */
  readonly body?: AsyncIterable<Uint8Array>;
}

/**
 * All blocks before the content of an entry: its header, extended headers, and the map of a sparse file. Errors: TAR_INVALID if a name contains a NUL, or if
 * pieces of a sparse file (other than the last) do not fill whole blocks: GNU tar would not find the next ones.
 */
export function tarHeader(header: TarHeader): Uint8Array {
  const { name, type, linkname, sparse } = header;
  if (name.includes('\0') || linkname.includes('\0'))
    throw new ImagesError('TAR_INVALID', `a NUL in a name [${printableName(name)}]`);
  const map = sparse && sparseMap(sparse, header.size);
  const size = type === 'file' ? (map?.length ?? 0) + storedSize(header) : 0;
  const bytes = encodeName(name);
  const field = sparse ? { name: placeholder('GNUSparseFile.0', name) } : nameFieldOf(bytes);
  const link = type === 'symlink' || type === 'hardlink' ? encodeName(linkname) : new Uint8Array();
  const blocks: Uint8Array[] = [];
  const records = recordsOf(header, size);
  if (records.length > 0) addAll(blocks, extension('x', placeholder('PaxHeaders.0', name), Buffer.concat(records)));
  if (link.length > MAX_NAME) addAll(blocks, longName('K', link));
  if (!field) addAll(blocks, longName('L', bytes));
  const { mode, uid, gid, mtime } = header;
  // The link to a device is none: what is written has to be what a reader gets of it.
  const device = type === 'character' || type === 'block' ? header.device : NO_NUMBERS.device;
  const numbers = { mode, uid, gid, size, seconds: mtime.seconds, device };
  blocks.push(headerBlock(TYPEFLAGS[type], field ?? { name: bytes }, link, numbers));
  if (map) blocks.push(map);
  return blocks.length === 1 ? (blocks[0] as Uint8Array) : Buffer.concat(blocks);
}

/** Writes an archive as a stream, small pieces joined. Errors: TAR_INVALID if a content is not as long as its header says. */
export async function* writeTar(
  entries: AsyncIterable<TarInput> | Iterable<TarInput>,
): AsyncGenerator<Uint8Array, void> {
  let chunks: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of piecesOf(entries)) {
    chunks.push(bytes);
    length += bytes.length;
    if (length < CHUNK) continue;
    if (bytes.length >= CHUNK) {
      if (chunks.length > 1) yield Buffer.concat(chunks.slice(0, -1));
      yield bytes;
    } else yield Buffer.concat(chunks);
    chunks = [];
    length = 0;
  }
  yield Buffer.concat(chunks);
}

/** Content bytes in the archive, without holes and without padding. */
export function storedSize({ type, size, sparse }: Pick<TarHeader, 'type' | 'size' | 'sparse'>): number {
  if (type !== 'file') return 0;
  return sparse ? sparse.reduce((sum, { length }) => sum + length, 0) : size;
}

/** The padding after content of this size. */
export function padding(size: number): Uint8Array {
  return ZEROS.subarray(0, paddedToBlock(size) - size);
}

/** The end of an archive: two blocks of zeros. */
export function endOfArchive(): Uint8Array {
  return ZEROS;
}

async function* piecesOf(entries: AsyncIterable<TarInput> | Iterable<TarInput>): AsyncGenerator<Uint8Array, void> {
  for await (const entry of entries) {
    yield tarHeader(entry);
    const expected = storedSize(entry);
    let length = 0;
    if (entry.body) {
      for await (const bytes of entry.body) {
        length += bytes.length;
        if (length > expected) throw wrongLength(entry, `more than ${expected}`, expected);
        if (bytes.length > 0) yield bytes;
      }
    }
    if (length < expected) throw wrongLength(entry, `${length}`, expected);
    if (expected % 512 !== 0) yield padding(expected);
  }
  yield endOfArchive();
}

function wrongLength({ name }: TarHeader, length: string, expected: number): ImagesError {
  return new ImagesError(
    'TAR_INVALID',
    `the content of a file is not as long as its header says [${printableName(name)}: ${length} bytes, not ${expected}]`,
    { hint: 'Was it changed meanwhile? Try again.' },
  );
}

/** The fields for a name: whole, or split at a slash; `undefined` if it does not fit either way. */
function nameFieldOf(name: Uint8Array): HeaderField | undefined {
  if (name.length <= MAX_NAME) return { name };
  const slash = name.lastIndexOf(0x2f, Math.min(MAX_PREFIX, name.length - 2));
  if (slash < 1 || name.length - slash - 1 > MAX_NAME) return undefined;
  return { name: name.subarray(slash + 1), prefix: name.subarray(0, slash) };
}

/** A file name for entries that are no files, because readers that do not know them unpack them as files. */
function placeholder(directory: string, name: string): Uint8Array {
  const base = name.split('/').findLast((part) => part !== '') ?? '';
  return Buffer.from(`${directory}/${base.replace(/[^ -~]/gu, '_')}`, 'latin1').subarray(0, MAX_NAME);
}

function recordsOf(header: TarHeader, size: number): readonly Uint8Array[] {
  const { name, uid, gid, mtime, xattrs, sparse } = header;
  const records: Uint8Array[] = [];
  if (sparse) {
    records.push(paxRecord('GNU.sparse.major', '1'), paxRecord('GNU.sparse.minor', '0'));
    records.push(paxRecord('GNU.sparse.name', encodeName(name)), paxRecord('GNU.sparse.realsize', `${header.size}`));
  }
  if (!isOctal(size, 12)) records.push(paxRecord('size', `${size}`));
  if (!isOctal(uid, 8)) records.push(paxRecord('uid', `${uid}`));
  if (!isOctal(gid, 8)) records.push(paxRecord('gid', `${gid}`));
  if (mtime.nanoseconds !== 0 || !isOctal(mtime.seconds, 12)) records.push(paxRecord('mtime', formatTime(mtime)));
  if (xattrs.size > 0) {
    const sorted = [...xattrs].sort(([a], [b]) => compareNames(a, b));
    for (const [key, value] of sorted) records.push(xattrRecord(key, value));
  }
  return records;
}

/** A key ends at its first equals sign, so a name that contains one is written in libarchive's encoding. */
function xattrRecord(name: string, value: Uint8Array): Uint8Array {
  if (!name.includes('=')) return paxRecord(`SCHILY.xattr.${name}`, value);
  const encoded = Array.from(encodeName(name), (byte) =>
    byte > 0x20 && byte < 0x7f && byte !== 0x25 && byte !== 0x3d
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
  return paxRecord(`LIBARCHIVE.xattr.${encoded}`, Buffer.from(value).toString('base64').replace(/=+$/, ''));
}

/** The map in GNU format 1.0: a count, then offsets and lengths; an empty piece marks a hole at the end. Padded, because pieces start at a block border. */
function sparseMap(pieces: readonly SparsePiece[], size: number): Uint8Array {
  const last = pieces.at(-1);
  const odd = pieces.find((piece) => piece.length % BLOCK !== 0 && piece !== last);
  if (odd) throw new ImagesError('TAR_INVALID', `a piece of a sparse file that fills no whole blocks [${odd.length}]`);
  const isOpen = !last || last.offset + last.length < size;
  const all = isOpen ? [...pieces, { offset: size, length: 0 }] : pieces;
  const lines = [all.length, ...all.flatMap(({ offset, length }) => [offset, length])];
  return filledUp(Buffer.from(`${lines.join('\n')}\n`));
}

function longName(typeflag: 'K' | 'L', name: Uint8Array): readonly Uint8Array[] {
  return extension(typeflag, Buffer.from('././@LongLink'), Buffer.concat([name, ZEROS.subarray(0, 1)]));
}

function extension(typeflag: string, name: Uint8Array, content: Uint8Array): readonly Uint8Array[] {
  const numbers = { ...NO_NUMBERS, size: content.length };
  return [headerBlock(typeflag, { name }, new Uint8Array(), numbers), filledUp(content)];
}

function filledUp(bytes: Uint8Array): Uint8Array {
  const rest = paddedToBlock(bytes.length) - bytes.length;
  return rest === 0 ? bytes : Buffer.concat([bytes, ZEROS.subarray(0, rest)]);
}
