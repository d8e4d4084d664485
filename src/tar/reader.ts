// Reads a tar archive of any dialect (v7, ustar, star, pax, GNU) as a stream of entries. Memory is bounded: bodies are streamed, headers have limits. What is
// complete in the current chunk is read without awaiting, because a layer can have a hundred thousand entries.
import { ImagesError } from '../oci/errors.ts';
import { ByteSource } from './byte-source.ts';
import { type Description, describeEntry } from './describe-entry.ts';
import type { TarEntry } from './entry.ts';
import { brokenOff, StoredContent, withHoles } from './entry-content.ts';
import { ExtendedHeaders, isExtension } from './extended-headers.ts';
import { BLOCK, type Header, paddedToBlock, parseHeader } from './header.ts';
import { printableName } from './names.ts';
import type { Records } from './pax-records.ts';
import { type SparseFile, sparseOfHeader, sparseOfRecords } from './sparse-map.ts';

type Position = TarEntry['position'];

export interface TarReadOptions {
  /** If given, the stream is read to its end, and this gets the bytes after the end of the last entry. */
  readonly tail?: (bytes: Uint8Array) => void;
}

/**
 * Yields the entries of an uncompressed archive, in order. The body of an entry must be read before the next entry is requested; unread bytes are skipped.
 * The archive ends at a block of zeros or at the end of the stream. What follows the zeros is not read, unless `tail` is given.
 * Positions have no gaps: what is between two entries (global headers, a volume label) counts as part of the second one's head.
 * Errors: TAR_INVALID for what is no archive, is truncated, or is one volume of a multi-volume archive.
 */
export async function* readTar(
  archive: AsyncIterable<Uint8Array>,
  options: TarReadOptions = {},
): AsyncGenerator<TarEntry, void> {
  const source = new ByteSource(archive);
  const extensions = new ExtendedHeaders(options.tail !== undefined);
  let head = 0;
  try {
    for (;;) {
      if (!source.has(BLOCK) && !(await source.gather(BLOCK))) {
        endsHere(source, extensions);
        break;
      }
      const header = parseHeader(source.chunk, source.at);
      if (!header) break;
      if (isExtension(header.typeflag)) {
        const waiting = extensions.read(source, header);
        if (waiting) await waiting;
        continue;
      }
      const records = extensions.forEntry();
      const said = describeEntry(header, records);
      source.at += BLOCK;
      const mayBeSparse = said.type === 'file' && (header.typeflag === 'S' || records.size > 0);
      const sparse = mayBeSparse ? await sparseOf(source, header, records) : undefined;
      const content = new StoredContent(source, sparse ? storedLength(said, header, sparse) : contentLength(said));
      const body = source.position;
      const end = body + paddedToBlock(sparse ? content.length : said.stored);
      const entry = entryOf(said, records, { head, body, end }, content);
      yield sparse ? sparseEntry(entry, sparse, content) : entry;
      const left = content.end() + end - body - content.length;
      if (source.has(left)) source.at += left;
      else await skip(source, left, paddedToBlock(said.stored) - said.stored);
      head = end;
    }
    if (options.tail) await readTail(source, extensions, options.tail);
  } finally {
    await source.close();
  }
}

/** The stream ended without a block of zeros: an old program wrote it, or it is truncated. */
function endsHere(source: ByteSource, extensions: ExtendedHeaders): void {
  if (source.has(1)) throw invalid(`the tar archive breaks off in a header [${source.chunk.length} bytes]`);
  if (extensions.forEntry().size > 0) throw invalid('the tar archive breaks off before an entry');
}

/** The size of the content; 0 for a GNU dump directory, whose content is skipped. */
function contentLength({ type, stored }: Description): number {
  return type === 'file' ? stored : 0;
}

/** Reads the sparse map. The source is after the header's first block. */
async function sparseOf(source: ByteSource, { typeflag }: Header, records: Records): Promise<SparseFile | undefined> {
  if (typeflag !== 'S') return sparseOfRecords(source, records);
  return sparseOfHeader(source, source.chunk.subarray(source.at - BLOCK, source.at));
}

/** The bytes left after the sparse map. A GNU 1.0 map is included in the size in the header; the extension blocks of the old format are not. */
function storedLength({ name, stored }: Description, { typeflag }: Header, { pieces, mapLength }: SparseFile): number {
  const expected = typeflag === 'S' ? stored : stored - mapLength;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length === expected) return length;
  throw invalid(`a sparse file has [${expected}] bytes, its map [${length}]: ${printableName(name)}`);
}

function entryOf(said: Description, records: Records, position: Position, content: StoredContent): TarEntry {
  const { name, type, size, mode, uid, gid, mtime, linkname, device, xattrs } = said;
  const header = { name, type, size, mode, uid, gid, mtime, linkname, device, xattrs };
  return { ...header, records, position, body: content, stored: content };
}

function sparseEntry(entry: TarEntry, { name, size, pieces }: SparseFile, content: StoredContent): TarEntry {
  return { ...entry, name: name ?? entry.name, size, sparse: pieces, body: withHoles(content, pieces, size) };
}

/** Skips content and padding. Only the padding of the last entry may be missing. */
async function skip(source: ByteSource, length: number, padding: number): Promise<void> {
  const missing = await source.skip(length);
  if (missing > padding) throw brokenOff(missing - padding);
}

async function readTail(
  source: ByteSource,
  extensions: ExtendedHeaders,
  tail: (bytes: Uint8Array) => void,
): Promise<void> {
  for (const bytes of extensions.rest()) tail(bytes);
  const all = Number.POSITIVE_INFINITY;
  for (let bytes = await source.some(all); bytes; bytes = await source.some(all)) tail(bytes);
}

function invalid(message: string): ImagesError {
  return new ImagesError('TAR_INVALID', message);
}
