// Headers that precede an entry and extend it: pax records (x; X on Solaris) and GNU long names (L, K). Global pax headers (g) and volume labels (V) are
// skipped, as Go's archive/tar and so every container engine do: honouring a global header would give another result than everywhere else.
import { ImagesError } from '../oci/errors.ts';
import type { ByteSource } from './byte-source.ts';
import { brokenOff } from './entry-content.ts';
import { BLOCK, type Header, paddedToBlock } from './header.ts';
import { NO_RECORDS, parsePaxRecords, type Records } from './pax-records.ts';

/** In bytes. A larger extended header is taken for an attack: extended attributes have at most 64 KiB each. Go has the same limit. */
const MAX_EXTENSION = 1 << 20;
/** In bytes. The limit for all extended headers before one entry, or before the end of the archive. */
const MAX_TOGETHER = 8 << 20;
const TYPEFLAGS = 'xgXLKV';

export function isExtension(typeflag: string): boolean {
  return TYPEFLAGS.includes(typeflag);
}

/** State: the records for the next entry. Lifetime: one archive. */
export class ExtendedHeaders {
  #records: Records = NO_RECORDS;
  /** Long names win over names in records (as in Go). */
  #longNames: Records = NO_RECORDS;
  #length = 0;
  readonly #blocks: Uint8Array[] = [];
  readonly #isKept: boolean;

  /** With `isKept`, the raw bytes of the headers are kept as well. */
  constructor(isKept: boolean) {
    this.#isKept = isKept;
  }

  /** Reads one; its header block is in the current chunk. Returns a promise only if the rest is not. Errors: TAR_INVALID. */
  read(source: ByteSource, header: Header): Promise<void> | undefined {
    const { size, typeflag } = header;
    if (size < 0 || size > MAX_EXTENSION) throw invalid(`an extended header of a tar archive is too big [${size}]`);
    const length = BLOCK + paddedToBlock(size);
    this.#length += length;
    if (this.#length > MAX_TOGETHER) throw invalid(`too many extended headers in a row [${this.#length} bytes]`);
    if (!source.has(length)) return this.#readLater(source, typeflag, size);
    this.#add(typeflag, source.now(length) as Buffer, size);
    return undefined;
  }

  /** The records for the next entry; they are consumed. */
  forEntry(): Records {
    if (this.#length === 0) return NO_RECORDS;
    const [records, longNames] = [this.#records, this.#longNames];
    this.#records = NO_RECORDS;
    this.#longNames = NO_RECORDS;
    this.#length = 0;
    this.#blocks.length = 0;
    if (longNames.size === 0) return records;
    return records.size === 0 ? longNames : new Map([...records, ...longNames]);
  }

  /** The raw bytes of extended headers that no entry followed. */
  rest(): readonly Uint8Array[] {
    return this.#blocks;
  }

  async #readLater(source: ByteSource, typeflag: string, size: number): Promise<void> {
    const length = BLOCK + paddedToBlock(size);
    const blocks = await source.take(length);
    if (!blocks) throw brokenOff(length);
    this.#add(typeflag, blocks, size);
  }

  #add(typeflag: string, blocks: Buffer, size: number): void {
    if (this.#isKept) this.#blocks.push(blocks);
    const bytes = blocks.subarray(BLOCK, BLOCK + size);
    switch (typeflag) {
      case 'L':
      case 'K':
        this.#longNames = new Map([...this.#longNames, [typeflag === 'L' ? 'path' : 'linkpath', withoutNul(bytes)]]);
        break;
      case 'x':
      case 'X':
        this.#records = parsePaxRecords(bytes);
        break;
    }
  }
}

function withoutNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function invalid(message: string): ImagesError {
  return new ImagesError('TAR_INVALID', message);
}
