// What stands before an entry and says more about it than its header can: pax records (x, g; X of Solaris), GNU's long names (L, K) and a volume's label (V).
import { ImagesError } from '../oci/errors.ts';
import type { ByteSource } from './byte-source.ts';
import { brokenOff } from './entry-content.ts';
import { BLOCK, type Header, padded } from './header.ts';
import { NO_RECORDS, parsePaxRecords, type Records } from './pax-records.ts';

/** What is beyond is an attack: extended attributes have at most 64 KiB each. Go has the same limit. */
const MAX_EXTENSION = 1 << 20;
/** All that stands before one entry, or before the archive's end. */
const MAX_TOGETHER = 8 << 20;
const TYPEFLAGS = 'xgXLKV';

export function isExtension(typeflag: string): boolean {
  return TYPEFLAGS.includes(typeflag);
}

/** State: the records that hold for the next entry. Lifetime: an archive's. */
export class ExtendedHeaders {
  #global: Records = NO_RECORDS;
  #own: Records = NO_RECORDS;
  #length = 0;
  readonly #blocks: Uint8Array[] = [];
  readonly #isKept: boolean;

  /** With `isKept`, the bytes themselves can be had afterwards. */
  constructor(isKept: boolean) {
    this.#isKept = isKept;
  }

  /** Reads one, whose header block is at hand; a promise only where the rest of it is not. Errors: TAR_INVALID. */
  read(source: ByteSource, header: Header): Promise<void> | undefined {
    const { size, typeflag } = header;
    if (size < 0 || size > MAX_EXTENSION) throw invalid(`an extended header of a tar archive is too big [${size}]`);
    const length = BLOCK + padded(size);
    this.#length += length;
    if (this.#length > MAX_TOGETHER) throw invalid(`too many extended headers in a row [${this.#length} bytes]`);
    if (!source.has(length)) return this.#readLater(source, typeflag, size);
    this.#add(typeflag, source.now(length) as Buffer, size);
    return undefined;
  }

  /** Every record that holds for the next entry; those that held only for it are over then. Errors: TAR_INVALID. */
  forEntry(): Records {
    const own = this.#own;
    if (this.#length === 0) return this.#global;
    this.#own = NO_RECORDS;
    this.#length = 0;
    this.#blocks.length = 0;
    if (own.size === 0) return this.#global;
    return this.#global.size === 0 ? own : new Map([...this.#global, ...own]);
  }

  /** Those that no entry followed, byte by byte. */
  rest(): readonly Uint8Array[] {
    return this.#blocks;
  }

  async #readLater(source: ByteSource, typeflag: string, size: number): Promise<void> {
    const length = BLOCK + padded(size);
    const blocks = await source.take(length);
    if (!blocks) throw brokenOff(length);
    this.#add(typeflag, blocks, size);
  }

  #add(typeflag: string, blocks: Buffer, size: number): void {
    if (this.#isKept) this.#blocks.push(blocks);
    if (typeflag === 'V') return;
    const bytes = blocks.subarray(BLOCK, BLOCK + size);
    const records = new Map(typeflag === 'g' ? this.#global : this.#own);
    if (typeflag === 'L') records.set('path', withoutNul(bytes));
    else if (typeflag === 'K') records.set('linkpath', withoutNul(bytes));
    else parsePaxRecords(bytes, records);
    if (typeflag !== 'g') this.#own = records;
    else if (sizeOf(records) > MAX_TOGETHER) throw invalid('the global headers of a tar archive are too big');
    else this.#global = records;
  }
}

function sizeOf(records: Records): number {
  let size = 0;
  for (const value of records.values()) size += value.length;
  return size;
}

function withoutNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function invalid(message: string): ImagesError {
  return new ImagesError('TAR_INVALID', message);
}
