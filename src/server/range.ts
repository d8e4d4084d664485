// The two range headers: `Range` of a download (RFC 9110, section 14) and `Content-Range` of a chunk (distribution specification, "Pushing a blob in chunks"). Pure.
import { ImagesError } from '../oci/errors.ts';

export interface BytePart {
  readonly from: number;
  /** Offset after the last byte. */
  readonly to: number;
}

export type ByteRange =
  | { readonly kind: 'whole' }
  | ({ readonly kind: 'part' } & BytePart)
  /** Two or more, in the order of the request. */
  | { readonly kind: 'parts'; readonly parts: readonly BytePart[] }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: ByteRange = { kind: 'whole' };
const UNSATISFIABLE: ByteRange = { kind: 'unsatisfiable' };

/** Limit, because each part opens a file. Partial pulls request at most a thousand (containers/storage, `maxNumberMissingChunks`). */
const MAX_PARTS = 2048;

/**
 * The ranges of `size` bytes that a `Range` header requests. A malformed header is ignored, and so are ranges that are together larger than the whole:
 * they could make the server send a blob many times. An inverted range is unsatisfiable, as the conformance suite demands.
 *
 * Ranges that overlap or touch stay apart, in the order of the request, as RFC 9110 (15.3.7.2) allows: podman takes the parts of the answer for its chunks one by
 * one, and ends with "invalid number of chunks" if there are fewer.
 */
export function parseRange(header: string | undefined, size: number): ByteRange {
  const list = /^\s*bytes\s*=(.*)$/i.exec(header ?? '')?.[1];
  const asked = (list ?? '').split(',').flatMap((range) => range.trim() || []);
  const found = asked.map((range) => partOf(range, size));
  if (found.length === 0 || found.includes(undefined)) return WHOLE;
  const parts = found.filter((part) => part !== undefined && part.from < part.to) as readonly BytePart[];
  const [first] = parts;
  if (!first) return UNSATISFIABLE;
  if (parts.length === 1) return { kind: 'part', ...first };
  const isMore = parts.length > MAX_PARTS || parts.reduce((sum, { from, to }) => sum + to - from, 0) > size;
  return isMore ? WHOLE : { kind: 'parts', parts };
}

/** An empty part if there are no such bytes; `undefined` if the text is no range. */
function partOf(range: string, size: number): BytePart | undefined {
  const match = /^(\d*)\s*-\s*(\d*)$/.exec(range);
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') return { from: size - Math.min(Number(last), size), to: size };
  const to = last === '' ? size : Math.min(Number(last) + 1, size);
  return { from: Number(first), to };
}

/** The position of a chunk in its blob; `to` is the offset after its last byte. */
export interface ChunkRange {
  readonly from: number;
  readonly to: number;
}

/** Parses `start-end`, and RFC 9110's form `bytes start-end/size`. Returns `undefined` for a streamed chunk. Errors: RANGE_INVALID. */
export function parseChunkRange(header: string | undefined): ChunkRange | undefined {
  if (header === undefined) return undefined;
  const match = /^\s*(?:bytes\s+)?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?\s*$/i.exec(header);
  const from = Number(match?.[1]);
  const to = Number(match?.[2]) + 1;
  if (!match || to < from) throw new ImagesError('RANGE_INVALID', `not a chunk's range [${header.slice(0, 100)}]`);
  return { from, to };
}

/** The Range header of an upload: `0-` and the last byte. 0 bytes are written like 1 byte, as in docker's registry, because there is no form for them. */
export function uploadRange(size: number): string {
  return `0-${Math.max(size - 1, 0)}`;
}
