// A tar archive as a stream of entries: v7, ustar, pax (path, linkpath, size, owners, times) and GNU (long names, big numbers).
// Memory is bounded whatever the archive holds: bodies are streamed, headers have limits.
import { ImagesError } from '../oci/errors.ts';
import { type ByteSource, byteSource } from './byte-source.ts';
import type { TarEntry, TarEntryType } from './entry.ts';
import { BLOCK, type Header, parseHeader } from './header.ts';
import { parsePaxRecords } from './pax-records.ts';

/** Extended headers and long names beyond this are attacks: extended attributes have at most 64 KiB each. */
const MAX_EXTENSION = 1 << 20;

const TYPES: Readonly<Record<string, TarEntryType>> = {
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/**
 * The entries of an uncompressed archive, in its order. An entry's body must be read before the next entry is asked for.
 * The archive's end is two blocks of zeros, one, or the end of the stream; what follows the zeros is not read.
 * Errors: TAR_INVALID for what is no archive, breaks off, or has sparse files.
 */
export async function* readTar(archive: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void> {
  const source = byteSource(archive);
  let global: Records = new Map();
  let own: Records = new Map();
  try {
    for (let header = await nextHeader(source); header; header = await nextHeader(source)) {
      switch (header.typeflag) {
        case 'g':
          global = new Map([...global, ...parsePaxRecords(await readExtension(source, header))]);
          break;
        case 'x':
        case 'X':
          own = new Map([...own, ...parsePaxRecords(await readExtension(source, header))]);
          break;
        case 'L':
          own = new Map([...own, ['path', withoutNul(await readExtension(source, header))]]);
          break;
        case 'K':
          own = new Map([...own, ['linkpath', withoutNul(await readExtension(source, header))]]);
          break;
        case 'V':
          // The volume's label.
          await skip(source, padded(header.size));
          break;
        default: {
          const body = bodyOf(source, header, new Map([...global, ...own]));
          own = new Map();
          yield body.entry;
          await body.skipRest();
        }
      }
    }
  } finally {
    await source.close();
  }
}

type Records = ReadonlyMap<string, Uint8Array>;

async function nextHeader(source: ByteSource): Promise<Header | undefined> {
  const block = await source.take(BLOCK);
  if (block.length === 0) return undefined;
  if (block.length < BLOCK)
    throw new ImagesError('TAR_INVALID', `the tar archive breaks off in a header [${block.length} bytes]`);
  return parseHeader(block);
}

async function readExtension(source: ByteSource, { size }: Header): Promise<Uint8Array> {
  if (size < 0 || size > MAX_EXTENSION)
    throw new ImagesError('TAR_INVALID', `an extended header of a tar archive is too big [${size}]`);
  const bytes = await source.take(size);
  if (bytes.length < size) throw brokenOff(size - bytes.length);
  await skip(source, padded(size) - size);
  return bytes;
}

interface Body {
  readonly entry: TarEntry;
  skipRest(): Promise<void>;
}

function bodyOf(source: ByteSource, header: Header, records: Records): Body {
  const entry = describe(header, records);
  const padding = padded(entry.size) - entry.size;
  let left = entry.size;
  const read = async function* (): AsyncGenerator<Uint8Array, void> {
    while (left > 0) {
      const portion = await source.some(left);
      if (!portion) throw brokenOff(left);
      left -= portion.length;
      yield portion;
    }
  };
  const skipRest = async (): Promise<void> => {
    await skip(source, left + padding);
    left = 0;
  };
  return { entry: { ...entry, body: read() }, skipRest };
}

function describe(header: Header, records: Records): Omit<TarEntry, 'body'> {
  const name = textOf(records, 'path') ?? header.name;
  if (header.typeflag === 'S' || [...records.keys()].some((key) => key.startsWith('GNU.sparse.'))) {
    throw new ImagesError('TAR_INVALID', `sparse files in tar archives are not read [${name}]`, {
      hint: 'Write the archive without --sparse.',
    });
  }
  // Before ustar a directory was a file whose name ends like one.
  const type = TYPES[header.typeflag] ?? (name.endsWith('/') ? 'directory' : 'file');
  // Some programs say how big the file is that a link names: only files have a body.
  const size = type === 'file' ? (numberOf(records, 'size') ?? header.size) : 0;
  if (!Number.isSafeInteger(size) || size < 0) throw new ImagesError('TAR_INVALID', `no size of a file [${size}]`);
  return {
    name,
    type,
    size,
    mode: header.mode,
    uid: numberOf(records, 'uid') ?? header.uid,
    gid: numberOf(records, 'gid') ?? header.gid,
    mtime: numberOf(records, 'mtime') ?? header.mtime,
    linkname: textOf(records, 'linkpath') ?? header.linkname,
    device: { major: header.major, minor: header.minor },
    records,
  };
}

/** An empty value takes back what a global header said (POSIX.1-2017). */
function textOf(records: Records, key: string): string | undefined {
  const value = records.get(key);
  return value === undefined || value.length === 0 ? undefined : new TextDecoder().decode(value);
}

function numberOf(records: Records, key: string): number | undefined {
  const text = textOf(records, key);
  if (text === undefined) return undefined;
  if (!/^-?\d+(?:\.\d*)?$/.test(text))
    throw new ImagesError('TAR_INVALID', `no number for ${key} in a tar archive [${text}]`);
  return Number(text);
}

function withoutNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

async function skip(source: ByteSource, length: number): Promise<void> {
  if (!(await source.skip(length))) throw brokenOff(length);
}

function brokenOff(left: number): ImagesError {
  return new ImagesError('TAR_INVALID', `the tar archive breaks off [${left} bytes before the end of an entry]`);
}
