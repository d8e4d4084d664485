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

  it('stand in an order that does not depend on which is ready', async () => {
    async function* slowly(name: string, count: number, milliseconds: number): AsyncGenerator<Piece> {
      for (let at = 0; at < count; at++) {
        await new Promise((resolve) => setTimeout(resolve, milliseconds));
        yield { chunks: [Buffer.from(`${name}${at} `)], whole: true };
      }
    }
    const written = (a: number, b: number, c: number) =>
      joined(
        interleaved([() => slowly('a', 5, a), () => slowly('b', 3, b), () => slowly('c', 4, c)], {
          most: 2,
          ahead: 8,
        }),
      );
    const expected = 'a0 b0 a1 b1 a2 b2 a3 a4 c0 c1 c2 c3 ';
    expect(await Promise.all([written(0, 3, 0), written(3, 0, 3), written(1, 1, 0)])).toEqual(Array(3).fill(expected));
  });

  it('catch up after one of them was written alone, because they were read ahead meanwhile', async () => {
    const long = [
      () => pieces('a', [...Array<boolean>(20).fill(false), true, true]),
      () => pieces('b', Array<boolean>(9).fill(true)),
    ];
    const text = await joined(interleaved(long, { most: 2, ahead: 8 }));
    expect(text.slice(text.indexOf('a20.'))).toBe('a20.b0.b1.b2.a21.b3.b4.b5.b6.b7.b8.');
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
