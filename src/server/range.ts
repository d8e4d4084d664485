// The two range headers: `Range` of a download (RFC 9110, section 14) and `Content-Range` of a chunk (distribution specification, "Pushing a blob in chunks"). Pure.
import { ImagesError } from '../oci/errors.ts';

export type ByteRange =
  | { readonly kind: 'whole' }
  /** `to` is the byte after the last one. */
  | { readonly kind: 'part'; readonly from: number; readonly to: number }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: ByteRange = { kind: 'whole' };
const UNSATISFIABLE: ByteRange = { kind: 'unsatisfiable' };

/**
 * What a `Range` header asks of `size` bytes. What cannot be understood is ignored, and several ranges are answered whole,
 * as the RFC allows: nobody can make us send a blob many times over. An inverted range is unsatisfiable, as the conformance suite wants it.
 */
export function parseRange(header: string | undefined, size: number): ByteRange {
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '');
  if (!match) return WHOLE;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return WHOLE;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? UNSATISFIABLE : { kind: 'part', from: size - length, to: size };
  }
  const from = Number(first);
  const to = last === '' ? size : Math.min(Number(last) + 1, size);
  return from >= size || from >= to ? UNSATISFIABLE : { kind: 'part', from, to };
}

/** The place of a chunk in its blob; `to` is the byte after the last one. */
export interface ChunkRange {
  readonly from: number;
  readonly to: number;
}

/** Reads `start-end`, also as RFC 9110 has it: `bytes start-end/size`. `undefined` for a streamed chunk. Errors: RANGE_INVALID. */
export function parseChunkRange(header: string | undefined): ChunkRange | undefined {
  if (header === undefined) return undefined;
  const match = /^\s*(?:bytes\s+)?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?\s*$/i.exec(header);
  const from = Number(match?.[1]);
  const to = Number(match?.[2]) + 1;
  if (!match || to < from) throw new ImagesError('RANGE_INVALID', `not a chunk's range [${header.slice(0, 100)}]`);
  return { from, to };
}

/** `0-` and the last byte received; nothing received is written like one byte, as docker's registry does, for want of another form. */
export function uploadRange(size: number): string {
  return `0-${Math.max(size - 1, 0)}`;
}
