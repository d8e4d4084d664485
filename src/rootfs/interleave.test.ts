import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interleaved, type Piece } from './interleave.ts';
import { packer } from './packer.ts';

async function* pieces(name: string, list: readonly boolean[], closed: string[] = []): AsyncGenerator<Piece> {
  try {
    for (const [at, whole] of list.entries()) {
      if (at % 2) await new Promise((resolve) => setImmediate(resolve));
      yield { chunks: [Buffer.from(`${name}${at}${whole ? '.' : '-'}`)], whole };
    }
  } finally {
    closed.push(name);
  }
}

async function joined(stream: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(stream)).toString();
}

describe('streams written into one', () => {
  it('all arrive, each in its order, and what belongs together stays together', async () => {
    const list = fc.array(fc.boolean(), { maxLength: 6 }).map((all) => [...all, true]);
    await fc.assert(
      fc.asyncProperty(list, list, list, async (a, b, c) => {
        const streams = [a, b, c].map((each, at) => () => pieces('abc'[at] as string, each));
        const text = await joined(interleaved(streams, { most: 2, ahead: 8 }));
        for (const name of 'abc')
          expect(text.match(new RegExp(`${name}\\d[.-]`, 'g'))?.length).toBe([a, b, c]['abc'.indexOf(name)]?.length);
        for (const [, name, next] of text.matchAll(/([abc])\d-([abc])/g)) expect(next).toBe(name);
      }),
    );
  });

  it('are closed when nobody reads on, and when one fails', async () => {
    const closed: string[] = [];
    for await (const _ of interleaved([() => pieces('a', [true, true], closed), () => pieces('b', [true], closed)], {
      most: 2,
      ahead: 8,
    }))
      break;
    expect(closed.toSorted()).toEqual(['a', 'b']);
    async function* failing(): AsyncGenerator<Piece> {
      yield { chunks: [], whole: true };
      throw new Error('broken');
    }
    const streams = [failing, () => pieces('c', Array<boolean>(20).fill(true), closed)];
    await expect(joined(interleaved(streams, { most: 2, ahead: 8 }))).rejects.toThrow('broken');
    expect(closed).toContain('c');
  });
});

describe('pieces packed into chunks', () => {
  it('are the same bytes in the same order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 30 }), (sizes) => {
        const out = packer();
        const given = sizes.map((size, at) => Buffer.alloc(size, at));
        const chunks = [...given.flatMap((piece) => [...out.add(piece)]), ...out.flush()];
        expect(Buffer.concat(chunks).equals(Buffer.concat(given))).toBe(true);
      }),
    );
  });
});
