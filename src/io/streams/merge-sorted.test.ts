import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mergeSorted, mergeSortedBy } from './merge-sorted.ts';

async function* streamOf(texts: readonly string[], taken: string[] = []): AsyncGenerator<string> {
  for (const text of texts) {
    taken.push(text);
    yield text;
  }
}

const sorted = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,3}$/)).map((texts) => texts.sort());

it('merging sorted streams gives what all of them have, sorted, each once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(sorted, { maxLength: 5 }), async (lists) => {
      const merged = await Array.fromAsync(mergeSorted(lists.map((list) => streamOf(list))));
      expect(merged).toEqual([...new Set(lists.flat())].sort());
    }),
  );
});

it('merging reads one entry of each stream ahead, and no more', async () => {
  const taken: string[] = [];
  const merged = mergeSorted([streamOf(['a', 'c', 'e', 'g'], taken), streamOf(['b', 'd', 'f'], taken)]);
  expect(await merged.next()).toMatchObject({ value: 'a' });
  expect(await merged.next()).toMatchObject({ value: 'b' });
  await merged.return(undefined);
  expect(taken.sort()).toEqual(['a', 'b', 'c']);
});

it('merging fails if a stream fails', async () => {
  const failing = (async function* () {
    yield 'a';
    throw new Error('no more');
  })();
  await expect(Array.fromAsync(mergeSorted([failing, streamOf(['b'])]))).rejects.toThrow('no more');
});

it('merging gives of things with the same text that of the first stream', async () => {
  const things = (of: string, ...keys: readonly string[]) =>
    (async function* () {
      for (const key of keys) yield { key, of };
    })();
  const merged = mergeSortedBy(({ key }) => key, [things('one', 'b', 'c'), things('two', 'a', 'b', 'd')]);
  expect((await Array.fromAsync(merged)).map(({ key, of }) => `${key} ${of}`)).toEqual([
    'a two',
    'b one',
    'c one',
    'd two',
  ]);
});
