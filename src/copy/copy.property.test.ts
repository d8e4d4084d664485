// For any graph of descriptors: the copy is complete, each blob is fetched once, and exactly what was planned is fetched.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rounds } from '../../test/testing/soak.ts';
import { decodeManifest, successors } from '../oci/manifest.ts';
import type { Registry } from '../registry/contract.ts';
import { copy } from './testing/copy.ts';
import { type MadeImage, makeBlob, makeImage, makeIndex, push } from './testing/images.ts';
import { memoryRegistry, sinkInto } from './testing/memory-registry.ts';
import { watchedRegistry } from './testing/watched-registry.ts';

/** Few layers, so that images share them often. */
const layer = fc.integer({ min: 0, max: 7 }).map((seed) => makeBlob(Buffer.alloc(seed * 700, String(seed))));
const platform = fc.constantFrom('linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/s390x');
const image: fc.Arbitrary<MadeImage> = fc
  .record({ layers: fc.array(layer, { maxLength: 4 }), platform })
  .map(makeImage);
const graph: fc.Arbitrary<MadeImage> = fc.letrec<{ node: MadeImage }>((tie) => ({
  node: fc.oneof({ maxDepth: 3 }, image, fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map(makeIndex)),
})).node;
/** A few repositories and tags: some images share a repository, some a whole name. */
const name = fc
  .tuple(fc.constantFrom('a', 'b', 'b/c', 'd'), fc.constantFrom('1', '2', '3'))
  .map(([repository, tag]) => `${repository}:${tag}`);
const collection = fc.dictionary(name, graph, { minKeys: 1, maxKeys: 6 });

describe('any copy', () => {
  it('is whole, fetches each blob once and exactly what it planned', async () => {
    await fc.assert(
      fc.asyncProperty(collection, collection, async (made, there) => {
        const upstream = memoryRegistry();
        const destination = memoryRegistry();
        for (const [key, value] of Object.entries(made)) await push(upstream, key, value);
        for (const [key, value] of Object.entries(there)) await push(destination, key, value);
        const from = watchedRegistry(upstream);
        const { plan, result } = await copy(Object.keys(made), {
          from: from.registry,
          to: sinkInto(destination),
          platforms: 'all',
        });
        for (const [key, value] of Object.entries(made)) await expectReachable(destination, key, value);
        expect([...from.asked.blobs().values()].filter((count) => count !== 1)).toEqual([]);
        // A config that the destination has is read if its manifest is missing there: both are compared.
        const looked = [...plan.configs].reduce((sum, [digest, { length }]) => {
          const { from: holder, present = length } = plan.blobs.get(digest) ?? {};
          return holder || present === length ? sum + length : sum;
        }, 0);
        expect(from.asked.bytes).toBe(plan.bytes + looked);
        expect(result.fetched).toBe(plan.bytes);
        expect(from.asked.calls.length).toBe(plan.requests);
        expect(result.requests).toBe(plan.requests);
      }),
      { numRuns: rounds(30) },
    );
  });

  it('fetches nothing when it is done again', async () => {
    await fc.assert(
      fc.asyncProperty(collection, fc.constantFrom('all', 'linux/amd64'), async (made, platforms) => {
        const upstream = memoryRegistry();
        const destination = memoryRegistry();
        for (const [key, value] of Object.entries(made)) await push(upstream, key, value);
        const options = { to: sinkInto(destination), platforms, keepGoing: true };
        await copy(Object.keys(made), { ...options, from: upstream });
        const again = watchedRegistry(upstream);
        const { plan } = await copy(Object.keys(made), { ...options, from: again.registry });
        expect(plan.bytes).toBe(0);
        expect(again.asked.count('getBlob')).toBe(0);
      }),
      { numRuns: rounds(20) },
    );
  });
});

async function expectReachable(registry: Registry, name: string, made: MadeImage): Promise<void> {
  const [repository, tag] = name.split(':') as [string, string];
  const waiting: string[] = [tag];
  expect((await registry.getManifest(repository, tag)).digest).toBe(made.manifest.digest);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const below = successors(decodeManifest(await registry.getManifest(repository, next)));
    for (const blob of below.blobs) {
      expect(await registry.statBlob(repository, blob.digest)).toMatchObject({ size: blob.size });
    }
    waiting.push(...below.manifests.map((child) => child.digest));
  }
}
