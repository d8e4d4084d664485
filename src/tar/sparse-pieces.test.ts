import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SparsePiece } from './entry.ts';
import { plainHeader } from './plain-header.ts';
import { refit, refitted, withWholeBlocks } from './sparse-pieces.ts';

/** Pieces with holes of any length between them, also of length 0, and the file's size. */
const aMap = fc
  .tuple(
    fc.array(fc.tuple(fc.integer({ min: 0, max: 1500 }), fc.integer({ min: 1, max: 1500 })), { maxLength: 8 }),
    fc.integer({ min: 0, max: 1500 }),
  )
  .map(([steps, rest]) => {
    const pieces: SparsePiece[] = [];
    let end = 0;
    for (const [hole, length] of steps) {
      pieces.push({ offset: end + hole, length });
      end += hole + length;
    }
    return { pieces, size: end + rest };
  });

function fileOf(pieces: readonly SparsePiece[], size: number, stored: Uint8Array): Buffer {
  const file = Buffer.alloc(size);
  let at = 0;
  for (const { offset, length } of pieces) {
    file.set(stored.subarray(at, at + length), offset);
    at += length;
  }
  return file;
}

function storedOf(pieces: readonly SparsePiece[]): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return Buffer.from(Array.from({ length }, (_, at) => 1 + (at % 255)));
}

function sparseFile(sparse: readonly SparsePiece[], size: number) {
  return { ...plainHeader({ name: 'f', type: 'file', mode: 0o644, size }), sparse };
}

describe('a sparse file', () => {
  it('reads the same in pieces that fill blocks, however its bytes come', () => {
    fc.assert(
      fc.property(aMap, fc.integer({ min: 1, max: 2000 }), ({ pieces, size }, portion) => {
        const given = sparseFile(pieces, size);
        const written = withWholeBlocks(given);
        const last = written.sparse.at(-1);
        expect(written.sparse.filter((piece) => piece.length % 512 !== 0 && piece !== last)).toEqual([]);
        expect(!last || last.offset + last.length <= size).toBe(true);
        const stored = storedOf(pieces);
        const turn = refitted(given, written);
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < stored.length; at += portion) {
          const bytes = stored.subarray(at, at + portion);
          chunks.push(...(turn ? turn(bytes) : [bytes]));
        }
        const expected = fileOf(pieces, size, stored);
        expect(fileOf(written.sparse, size, Buffer.concat(chunks))).toEqual(expected);
        if (stored.length === 0) return;
        expect(Buffer.concat([...refit(pieces, [{ offset: 0, length: size }])(stored)])).toEqual(expected);
      }),
    );
  });

  it('stays as it is where its pieces fill blocks', () => {
    const file = sparseFile(
      [
        { offset: 512, length: 1024 },
        { offset: 4096, length: 3 },
      ],
      9000,
    );
    expect(withWholeBlocks(file)).toBe(file);
    expect(refitted(file, file)).toBeUndefined();
  });

  it('grows by less than a block a piece', () => {
    const sparse = Array.from({ length: 1000 }, (_, at) => ({ offset: at * 1_000_000, length: 1 }));
    const written = withWholeBlocks(sparseFile(sparse, 1e9)).sparse;
    expect(written).toHaveLength(1000);
    expect(written.reduce((sum, { length }) => sum + length, 0)).toBe(512 * 1000);
  });
});
