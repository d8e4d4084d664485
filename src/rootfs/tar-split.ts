// tar-split (github.com/vbatts/tar-split): what an unpacked layer lacks for restoring its archive byte for byte. Gzipped lines of JSON, in the
// order of the archive: bytes that are no file content, and which file's content comes in between. Pure.
import { decompressed } from '../io/compression/decompress.ts';
import type { Bytes } from '../io/streams/bytes.ts';
import * as decode from '../oci/decode.ts';
import { ImagesError } from '../oci/errors.ts';
import { decodeName, printableName } from '../tar/names.ts';
import { crc64 } from './crc64.ts';
import { packer } from './packer.ts';

export type TarSplitEntry =
  | { readonly type: 'segment'; readonly bytes: Uint8Array }
  /** `name` as in the archive, decoded by tar/names.ts; `crc` of the content in 8 bytes. Without content `size` is 0. */
  | { readonly type: 'file'; readonly name: string; readonly size: number; readonly crc?: Uint8Array };

/** Opens a file of the unpacked layer, which should have `size` bytes. */
export type OpenFile = (name: string, size: number) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

const SEGMENT = 2;
const FILE = 1;
/** In characters. A segment holds the headers of one entry, and extended headers have at most 1 MiB. */
const MAX_LINE = 8 * 1024 * 1024;

/** Errors: TAR_INVALID, COMPRESSION_INVALID. */
export async function* readTarSplit(gzipped: Bytes): AsyncGenerator<TarSplitEntry> {
  let position = 0;
  for await (const line of lines(decompressed(gzipped))) {
    const entry = decodeLine(line, position);
    position += 1;
    yield entry;
  }
}

export interface JoinOptions {
  /** Also checks the CRC of each file. If the digest of the whole is verified, that is needed only to tell which file is wrong. */
  readonly sums?: boolean;
}

/**
 * Restores the archive of the layer. Errors: TAR_INVALID (a file has changed since the layer was unpacked), those of `entries` and of `content`.
 */
export async function* joinTarSplit(
  entries: AsyncIterable<TarSplitEntry>,
  content: OpenFile,
  { sums = false }: JoinOptions = {},
): AsyncGenerator<Uint8Array> {
  const out = packer();
  for await (const entry of entries) {
    if (entry.type === 'segment') yield* out.add(entry.bytes);
    else if (entry.size > 0) for await (const chunk of checked(entry, content, sums)) yield* out.add(chunk);
  }
  yield* out.flush();
}

async function* checked(
  { name, size, crc }: Extract<TarSplitEntry, { type: 'file' }>,
  content: OpenFile,
  sums: boolean,
): AsyncGenerator<Uint8Array> {
  const sum = sums && crc ? crc64() : undefined;
  let read = 0;
  for await (const chunk of content(name, size)) {
    read += chunk.length;
    if (read > size) break;
    sum?.update(chunk);
    yield chunk;
  }
  if (read !== size)
    throw changed(name, `it has ${read > size ? 'more than ' : ''}${read > size ? size : read} bytes, not ${size}`);
  if (crc && sum && Buffer.compare(crc, sum.digest()) !== 0) throw changed(name, 'its content is another');
}

function changed(name: string, why: string): ImagesError {
  return new ImagesError(
    'TAR_INVALID',
    `a file of the layer has changed since it was unpacked [${printableName(name)}]: ${why}`,
    {
      hint: 'The store is damaged: remove the image there and fetch it again.',
    },
  );
}

function decodeLine(line: string, position: number): TarSplitEntry {
  try {
    const fields = decode.object(JSON.parse(line), 'entry');
    if (fields.position !== position) throw new Error(`position is ${String(fields.position)}, not ${position}`);
    const payload = decode.optional(fields.payload, 'payload', decode.string);
    const bytes = payload ? Buffer.from(payload, 'base64') : new Uint8Array();
    if (fields.type === SEGMENT) return { type: 'segment', bytes };
    if (fields.type !== FILE) throw new Error(`type is ${String(fields.type)}`);
    const size = decode.optional(fields.size, 'size', decode.size) ?? 0;
    return { type: 'file', name: nameOf(fields), size, ...(bytes.length === 8 && { crc: bytes }) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImagesError('TAR_INVALID', `the tar-split file of a layer is damaged at entry [${position}]: ${why}`, {
      cause,
    });
  }
}

/** Decodes the name. One that is not UTF-8 is in base64. */
function nameOf({ name, name_raw: raw }: decode.Json): string {
  if (typeof raw === 'string') return decodeName(Buffer.from(raw, 'base64'));
  return decode.optional(name, 'name', decode.string) ?? '';
}

async function* lines(text: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of text) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > MAX_LINE) throw new ImagesError('TAR_INVALID', `a tar-split entry is too long [${rest.length}]`);
    yield* parts;
  }
  if (rest !== '') yield rest;
}
