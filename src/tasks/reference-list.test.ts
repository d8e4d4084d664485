import { describe, expect, it } from 'vitest';
import { readReferenceList, withoutQuotes } from './reference-list.ts';

async function* inPieces(text: string, size: number) {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('a list of references', () => {
  it('has one a line, comments and blank lines aside, each once', async () => {
    const text =
      '\uFEFF# images\r\nalpine:3\r\n\r\n  quay.io/x/y:1   # why\n"docker.io/library/z"\n- list/item:2\nalpine:3\n';
    for (const size of [1, 3, 1000]) {
      expect(await readReferenceList(inPieces(text, size))).toEqual([
        'alpine:3',
        'quay.io/x/y:1',
        'docker.io/library/z',
        'list/item:2',
      ]);
    }
  });

  it('may be empty, or without a newline at its end', async () => {
    expect(await readReferenceList(inPieces('', 1))).toEqual([]);
    expect(await readReferenceList(inPieces('a:1', 2))).toEqual(['a:1']);
  });
});

describe('quotes', () => {
  it('are tolerated', () => {
    expect(['"alpine:3"', "'alpine:3'", ' alpine:3 '].map(withoutQuotes)).toEqual(['alpine:3', 'alpine:3', 'alpine:3']);
  });
});
