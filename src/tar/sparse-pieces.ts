// Sparse files in other pieces than they came in: what is stored of a file, with zeros where the new pieces hold more of it. Pure.
import type { SparsePiece, TarHeader } from './entry.ts';
import { BLOCK, paddedToBlock } from './header.ts';
import { zeros } from './zeros.ts';

/** Stored bytes of a file, in their order, as they are to be written. */
export type Refit = (stored: Uint8Array) => Iterable<Uint8Array>;

/** The same file in pieces that fill whole blocks, all but the last: in others GNU tar would not find the next piece. Itself where it is so already. */
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
 * Turns the stored bytes of a file in the pieces `from` into those of the same file in the pieces `to`, which hold all of `from` and else holes.
 * Handed the last stored byte, it gives all that is left; a file without stored bytes is never handed one.
 */
export function refit(from: readonly SparsePiece[], to: readonly SparsePiece[]): Refit {
  /** The piece of `from` that is being read, and what was read of it. */
  let at = 0;
  let read = 0;
  /** The piece of `to` that is being written, and where in the file. */
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

/** What `withWholeBlocks` has made of a file's header, for its content; `undefined` where nothing has changed. */
export function refitted(given: TarHeader, written: TarHeader): Refit | undefined {
  if (!given.sparse || !written.sparse || given.sparse === written.sparse) return undefined;
  return refit(given.sparse, written.sparse);
}
