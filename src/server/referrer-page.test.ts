// Pages of referrers: together they are all, whatever their number, size and order; and none keeps them all in memory.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Descriptor } from '../oci/descriptor.ts';
import { digestOf } from '../oci/digest.ts';
import { referrerPage } from './referrer-page.ts';

const { signal } = new AbortController();

function descriptor(name: string, size: number): Descriptor {
  const annotations = { filler: 'x'.repeat(size) };
  return { mediaType: 'a/b', digest: digestOf(Buffer.from(name)), size: 1, annotations };
}

async function* each(all: readonly Descriptor[]): AsyncGenerator<Descriptor> {
  yield* all;
}

it('of any sizes are all, each once, in the order of digests', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(2000), { maxLength: 40 }),
      fc.integer({ min: 1, max: 3000 }),
      async (sizes, limit) => {
        const all = sizes.map((size, at) => descriptor(`${at}`, size));
        const found: string[] = [];
        for (let last: string | undefined, isFirst = true; isFirst || last !== undefined; isFirst = false) {
          const page = await referrerPage(each(all), { last, limit, signal });
          if (page.manifests.length > 1) expect(JSON.stringify(page.manifests).length).toBeLessThanOrEqual(limit + 2);
          found.push(...page.manifests.map(({ digest }) => digest));
          last = page.next;
        }
        expect(found).toEqual(all.map(({ digest }) => digest).sort());
      },
    ),
  );
});

it('of a thousand times what a page holds are let go of while they come', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const seen: WeakRef<Descriptor>[] = [];
  let alive = 0;
  const many = async function* (): AsyncGenerator<Descriptor> {
    for (let at = 0; at < 500; at++) {
      const one = descriptor(`${at}`, 5000);
      seen.push(new WeakRef(one));
      yield one;
    }
    // What a WeakRef was made of lives until the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    alive = seen.filter((one) => one.deref() !== undefined).length;
  };
  const { manifests, next } = await referrerPage(many(), { last: undefined, limit: 20_000, signal });
  expect(manifests.length).toBeGreaterThan(1);
  expect(next).toBe(manifests.at(-1)?.digest);
  expect(alive).toBeLessThan(20);
});
