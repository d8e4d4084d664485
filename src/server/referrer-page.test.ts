// Pages of referrers: together they are complete, whatever their number and size. A page reads only its own entries and the next one.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Descriptor } from '../oci/descriptor.ts';
import { digestOf } from '../oci/digest.ts';
import { referrerPage } from './referrer-page.ts';

const { signal } = new AbortController();

function descriptors(sizes: readonly number[]): readonly Descriptor[] {
  const all = sizes.map((size, at) => {
    const annotations = { filler: 'x'.repeat(size) };
    return { mediaType: 'a/b', digest: digestOf(Buffer.from(`${at}`)), size: 1, annotations };
  });
  return all.sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

async function* after(all: readonly Descriptor[], last: string, read: string[] = []): AsyncGenerator<Descriptor> {
  for (const one of all) {
    if (one.digest <= last) continue;
    read.push(one.digest);
    yield one;
  }
}

it('pages of referrers of any size together list all, each once, in the order of digests', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(2000), { maxLength: 40 }),
      fc.integer({ min: 1, max: 3000 }),
      async (sizes, limit) => {
        const all = descriptors(sizes);
        const found: string[] = [];
        for (let last: string | undefined = ''; last !== undefined; ) {
          const page = await referrerPage(after(all, last), { limit, signal });
          if (page.manifests.length > 1) expect(JSON.stringify(page.manifests).length).toBeLessThanOrEqual(limit + 2);
          found.push(...page.manifests.map(({ digest }) => digest));
          last = page.next;
        }
        expect(found).toEqual(all.map(({ digest }) => digest));
      },
    ),
  );
});

it('pages of referrers read one entry more than they hold', async () => {
  const read: string[] = [];
  const all = descriptors(Array.from({ length: 500 }, () => 5000));
  const { manifests, next } = await referrerPage(after(all, '', read), { limit: 20_000, signal });
  expect(manifests).toHaveLength(3);
  expect(next).toBe(manifests.at(-1)?.digest);
  expect(read).toHaveLength(4);
});

it('pages of referrers stop when the client has gone', async () => {
  const gone = AbortSignal.abort(new Error('gone'));
  await expect(referrerPage(after(descriptors([1]), ''), { limit: 1, signal: gone })).rejects.toThrow('gone');
});
