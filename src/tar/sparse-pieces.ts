// Cuts a sparse file into other pieces: takes the stored bytes, and adds zeros where the new pieces include parts of holes. Pure.
import type { SparsePiece, TarHeader } from './entry.ts';
import { BLOCK, paddedToBlock } from './header.ts';
import { zeros } from './zeros.ts';

/** Called with the stored bytes of a file in order; returns the bytes to write. */
export type Refit = (stored: Uint8Array) => Iterable<Uint8Array>;

/** The same file in pieces that fill whole blocks, except the last: otherwise GNU tar would not find the next piece. Unchanged if they do so already. */
export function withWholeBlocks<Header extends TarHeader>(header: Header): Header {
  const { sparse, size } = header;
  if (!sparse || fillsBlocks(sparse)) return header;
  const pieces: { readonly offset: number; length: number }[] = [];
  for (const { offset, length } of sparse) {
    const last = pieces.at(-1);
    const end = offset + length;
    if (last && offset < last.offset + paddedToBlock(last.length)) last.length = end - last.offset;
    else {
      if (last) last.length = paddedToBlock(last.length);
      pieces.push({ offset, length });
    }
  }
  const last = pieces.at(-1);
  if (last) last.length = Math.min(paddedToBlock(last.length), size - last.offset);
  return { ...header, sparse: pieces };
}

function fillsBlocks(pieces: readonly SparsePiece[]): boolean {
  return pieces.every(({ length }, at) => length % BLOCK === 0 || at === pieces.length - 1);
}

/**
 * Converts the stored bytes of a file in the pieces `from` into those of the same file in the pieces `to`, which cover all of `from` and otherwise holes.
 * With the last stored byte it returns everything that is left. It is never called for a file without stored bytes.
 */
export function refit(from: readonly SparsePiece[], to: readonly SparsePiece[]): Refit {
  /** Index of the piece of `from` that is being read, and how much of it has been read. */
  let at = 0;
  let read = 0;
  /** Index of the piece of `to` that is being written, and the offset in the file. */
  let into = 0;
  let position = 0;

  const fillTo = function* (end: number): Generator<Uint8Array> {
    for (; into < to.length; into++) {
      const { offset, length } = to[into] as SparsePiece;
      if (offset >= end) return;
      position = Math.max(position, offset);
      const until = Math.min(offset + length, end);
      if (position < until) yield* zeros(until - position);
      position = Math.max(position, until);
      if (offset + length > end) return;
    }
  };

  return function* (stored) {
    for (let rest = stored; rest.length > 0; ) {
      const { offset, length } = from[at] as SparsePiece;
      if (read === 0) yield* fillTo(offset);
      const portion = rest.subarray(0, length - read);
      yield portion;
      rest = rest.subarray(portion.length);
      read += portion.length;
      position = offset + read;
      if (read < length) continue;
      read = 0;
      at++;
      if (at === from.length) yield* fillTo(Number.POSITIVE_INFINITY);
    }
  };
}

/** The conversion that the content needs after `withWholeBlocks`; `undefined` if it needs none. */
export function refitted(given: TarHeader, written: TarHeader): Refit | undefined {
  if (!given.sparse || !written.sparse || given.sparse === written.sparse) return undefined;
  return refit(given.sparse, written.sparse);
}
