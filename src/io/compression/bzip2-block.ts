// Decodes one bzip2 block up to its sorted bytes: Huffman codes give positions in a move-to-front list and run lengths. bzip2-content.ts undoes the sorting.
import type { ImagesError } from '../../oci/errors.ts';
import type { BitReader } from './bit-reader.ts';
import { compressionInvalid } from './compression-invalid.ts';

export interface Block {
  /** The sorted bytes, in the lower 8 bits of each number. The bits above are free for undoing the sorting. */
  readonly work: Uint32Array;
  readonly length: number;
  /** Index of the content's first byte in `work`. */
  readonly origin: number;
}

/** Number of consecutive symbols that use the same table. */
const GROUP = 50;
const MAX_LENGTH = 20;
/** Codes of up to this many bits are decoded by one table look-up. */
const FAST = 10;
const RUN_B = 1;

/** Reads a block that decodes to at most `limit` bytes. Errors: COMPRESSION_INVALID. */
export function readBlock(bits: BitReader, limit: number): Block {
  if (bits.read(1) === 1) throw bad('a form that bzip2 has given up');
  const origin = bits.read(24);
  const list = readUsedBytes(bits);
  const count = bits.read(3);
  if (count < 2 || count > 6) throw bad('wrong number of tables');
  const selectors = readSelectors(bits, count);
  const tables: Table[] = [];
  while (tables.length < count) tables.push(tableOf(readLengths(bits, list.length + 2)));
  const work = new Uint32Array(limit);
  const length = readBytes(bits, selectors, tables, list, work);
  if (origin >= length) throw bad('wrong origin');
  return { work, length, origin };
}

/** Reads which byte values occur: a bit map of 16 bit maps. */
function readUsedBytes(bits: BitReader): Uint8Array {
  const used: number[] = [];
  const rows = bits.read(16);
  for (let row = 0; row < 16; row++) {
    if (!((rows >> (15 - row)) & 1)) continue;
    const columns = bits.read(16);
    for (let column = 0; column < 16; column++) if ((columns >> (15 - column)) & 1) used.push(row * 16 + column);
  }
  return Uint8Array.from(used);
}

/** Reads which table each group uses: move-to-front positions, in unary. */
function readSelectors(bits: BitReader, tables: number): Uint8Array {
  const selectors = new Uint8Array(bits.read(15));
  const list = Uint8Array.from({ length: tables }, (_, index) => index);
  for (let index = 0; index < selectors.length; index++) {
    let position = 0;
    while (bits.read(1) === 1) if (++position >= tables) throw bad('wrong selector');
    selectors[index] = toFront(list, position);
  }
  return selectors;
}

/** Reads the code length of each symbol; each is written as the difference from the one before. */
function readLengths(bits: BitReader, symbols: number): Uint8Array {
  const lengths = new Uint8Array(symbols);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbols; symbol++) {
    for (;;) {
      if (length < 1 || length > MAX_LENGTH) throw bad('wrong length of a code');
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return lengths;
}

interface Table {
  /** Indexed by the next `FAST` bits: the symbol in the lower 9 bits, its code length above; 0 if the code is longer than `FAST` bits. */
  readonly fast: Uint16Array;
  /** Indexed by code length: the first code that is too large (left-aligned to 20 bits), and the offset from a code to its index in `symbols`. */
  readonly limits: Int32Array;
  readonly offsets: Int32Array;
  readonly symbols: Uint16Array;
}

/** Canonical Huffman codes: they ascend with their lengths and, within a length, with the symbols. */
function tableOf(lengths: Uint8Array): Table {
  const symbols = new Uint16Array(lengths.length);
  const limits = new Int32Array(MAX_LENGTH + 1);
  const offsets = new Int32Array(MAX_LENGTH + 1);
  const fast = new Uint16Array(1 << FAST);
  let code = 0;
  let count = 0;
  for (let length = 1; length <= MAX_LENGTH; length++) {
    offsets[length] = count - code;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      if (length <= FAST) fast.fill((length << 9) | symbol, code << (FAST - length), (code + 1) << (FAST - length));
      symbols[count++] = symbol;
      code++;
    }
    limits[length] = code << (MAX_LENGTH - length);
    code <<= 1;
  }
  return { fast, limits, offsets, symbols };
}

function readSymbol(bits: BitReader, { fast, limits, offsets, symbols }: Table): number {
  const next = bits.peek(MAX_LENGTH);
  const known = fast[next >> (MAX_LENGTH - FAST)] as number;
  if (known !== 0) {
    bits.pass(known >> 9);
    return known & 0x1ff;
  }
  for (let length = FAST + 1; length <= MAX_LENGTH; length++) {
    if (next >= (limits[length] as number)) continue;
    bits.pass(length);
    const symbol = symbols[(next >> (MAX_LENGTH - length)) + (offsets[length] as number)];
    if (symbol !== undefined) return symbol;
  }
  throw bad('wrong code');
}

/** Decodes the bytes into `work`; returns how many there are. */
function readBytes(
  bits: BitReader,
  selectors: Uint8Array,
  tables: readonly Table[],
  list: Uint8Array,
  work: Uint32Array,
): number {
  const end = list.length + 1;
  let length = 0;
  let run = 0;
  let weight = 1;
  for (const selector of selectors) {
    const table = tables[selector] as Table;
    for (let index = 0; index < GROUP; index++) {
      const symbol = readSymbol(bits, table);
      if (symbol <= RUN_B) {
        // A run length is written in bijective base 2 (digits 1 and 2), the lowest digit first.
        run += weight << symbol;
        weight <<= 1;
        if (run > work.length) throw bad('too long a run');
        continue;
      }
      if (run > 0) {
        if (length + run > work.length) throw bad('too long a block');
        work.fill(list[0] as number, length, length + run);
        length += run;
        run = 0;
        weight = 1;
      }
      if (symbol === end) return length;
      if (length === work.length) throw bad('too long a block');
      work[length++] = toFront(list, symbol - 1);
    }
  }
  throw bad('no end of a block');
}

function toFront(list: Uint8Array, position: number): number {
  const value = list[position] as number;
  for (let index = position; index > 0; index--) list[index] = list[index - 1] as number;
  list[0] = value;
  return value;
}

function bad(reason: string): ImagesError {
  return compressionInvalid('bzip2', reason);
}
