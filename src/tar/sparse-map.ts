// Reads the map of a sparse file in GNU's four formats (tar manual, "Sparse Formats"): the old header with its extension blocks, and pax 0.0, 0.1, 1.0.
import { addAll } from '../oci/add-all.ts';
import { ImagesError } from '../oci/errors.ts';
import type { ByteSource } from './byte-source.ts';
import type { SparsePiece } from './entry.ts';
import { BLOCK, number } from './header.ts';
import { printableName } from './names.ts';
import { type Records, recordNumber, recordText, SPARSE_MAP } from './pax-records.ts';

/** In bytes of the archive. Go, and so every container engine, reads no larger maps. */
const MAX_MAP = 1 << 20;

export interface SparseFile {
  readonly name?: string;
  /** Size of the file in bytes, including its holes. */
  readonly size: number;
  readonly pieces: readonly SparsePiece[];
  /** Bytes after the header that the map occupied. */
  readonly mapLength: number;
}

/** The map in the extended records; `undefined` if the file is not sparse. The source is after the headers. Errors: TAR_INVALID. */
export async function sparseOfRecords(source: ByteSource, records: Records): Promise<SparseFile | undefined> {
  const major = recordText(records, 'GNU.sparse.major');
  const minor = recordText(records, 'GNU.sparse.minor');
  const isListed = records.has(SPARSE_MAP);
  if (major === undefined && !isListed) return undefined;
  const version = major === undefined ? '0.x' : `${major}.${minor ?? '0'}`;
  if (!['0.x', '0.0', '0.1', '1.0'].includes(version))
    throw invalid(`an unknown form of sparse files [${printableName(version)}]`);
  const name = recordText(records, 'GNU.sparse.name');
  const size = recordNumber(records, 'GNU.sparse.realsize') ?? recordNumber(records, 'GNU.sparse.size');
  if (size === undefined) throw invalid('a sparse file without a size');
  const begin = source.position;
  const numbers =
    version === '1.0' ? await numbersOfBody(source) : numbersOf((recordText(records, SPARSE_MAP) ?? '').split(','));
  const mapLength = source.position - begin;
  return { ...(name !== undefined && { name }), size, pieces: piecesOf(numbers, size), mapLength };
}

/** The map of an entry of type S: begins in its header block, after which the source is. Errors: TAR_INVALID. */
export async function sparseOfHeader(source: ByteSource, header: Buffer): Promise<SparseFile> {
  const begin = source.position;
  const size = number(header, 483, 12);
  const numbers: number[] = [];
  addStructures(header, 386, 4, numbers);
  for (let more = header[482] !== 0; more; ) {
    if (source.position - begin >= MAX_MAP) throw tooLong();
    const block = await blockOf(source);
    addStructures(block, 0, 21, numbers);
    more = block[504] !== 0;
  }
  return { size, pieces: piecesOf(numbers, size), mapLength: source.position - begin };
}

/** Reads pairs of offset and length, 12 bytes each. The first empty one ends the list. */
function addStructures(block: Buffer, from: number, count: number, numbers: number[]): void {
  for (let at = from; at < from + count * 24; at += 24) {
    if (block[at] === 0) return;
    numbers.push(number(block, at, 12), number(block, at + 12, 12));
  }
}

/** Reads a map in the body: a count, then offsets and lengths, one decimal number a line, padded with NULs to a whole block. */
async function numbersOfBody(source: ByteSource): Promise<readonly number[]> {
  const begin = source.position;
  const lines: string[] = [];
  let expected = 1;
  for (let rest = ''; lines.length < expected; ) {
    if (source.position - begin >= MAX_MAP) throw tooLong();
    const parts = (rest + (await blockOf(source)).toString('latin1')).split('\n');
    rest = parts.pop() ?? '';
    addAll(lines, parts);
    if (lines.length > 0) expected = 1 + 2 * (numbersOf(lines.slice(0, 1))[0] as number);
  }
  return numbersOf(lines.slice(1, expected));
}

async function blockOf(source: ByteSource): Promise<Buffer> {
  const block = await source.take(BLOCK);
  if (!block) throw invalid('the tar archive breaks off in the map of a sparse file');
  return block;
}

function numbersOf(texts: readonly string[]): readonly number[] {
  if (texts.length === 1 && texts[0] === '') return [];
  return texts.map((text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw invalid(`no number in the map of a sparse file [${printableName(text)}]`);
    return value;
  });
}

/** The pieces without empty ones, which only mark the end of the file. */
function piecesOf(numbers: readonly number[], size: number): readonly SparsePiece[] {
  if (numbers.length % 2 === 1) throw invalid('half a piece in the map of a sparse file');
  const pieces: SparsePiece[] = [];
  let end = 0;
  for (let index = 0; index < numbers.length; index += 2) {
    const [offset, length] = [numbers[index] as number, numbers[index + 1] as number];
    if (offset < end || length < 0 || offset + length > size)
      throw invalid(`a piece of a sparse file that cannot be there [${offset}+${length} of ${size}]`);
    end = offset + length;
    if (length > 0) pieces.push({ offset, length });
  }
  return pieces;
}

function tooLong(): ImagesError {
  return invalid(`the map of a sparse file is longer than [${MAX_MAP}] bytes`);
}

function invalid(message: string): ImagesError {
  return new ImagesError('TAR_INVALID', message);
}
