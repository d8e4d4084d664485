// What is pushed at the moment in which it is deleted, in every order of the two's calls with one switch between them.
import { beforeAll, expect, it } from 'vitest';
import { pushImage } from '../../../test/contract/content.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { Registry } from '../../registry/contract.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import { copiedStore, explore } from '../testing/interleavings.ts';
import { digest, image, other, pin, registryOf } from '../testing/pinned.ts';

const tagged = createMemoryObjectStore();
await pushImage(registryOf(tagged), 'app', image, ['1', '2']);
await pushImage(registryOf(tagged), 'app', other, []);

// What deletes is loaded when it is needed first, and loading is no call to the store: the explorer would not wait for it.
beforeAll(async () => {
  const objects = createMemoryObjectStore();
  await pushImage(registryOf(objects), 'app', image, ['1']);
  await registryOf(objects).deleteTag('app', '1');
});

it.each([
  ['a tag', '1', other, (registry: Registry) => registry.deleteTag('app', '1')],
  ['a tag of the same manifest', '1', image, (registry: Registry) => registry.deleteManifest('app', digest)],
])('%s that is pushed and pinned while it is deleted is there', async (_what, reference, pushed, remove) => {
  const seen = new Set<string>();
  await explore(async () => {
    const objects = await copiedStore(tagged);
    let isPinned = false;
    let isDenied = false;
    return {
      objects,
      actors: [
        {
          name: 'deletion',
          run: (mine) =>
            remove(registryOf(mine)).catch((error: unknown) => {
              if (!isImagesError(error, 'DENIED')) throw error;
              isDenied = true;
            }),
        },
        {
          name: 'push, then pin',
          run: async (mine) => {
            await registryOf(mine).putManifest('app', pushed.manifest, ['1']);
            isPinned = await pin(mine, reference);
          },
        },
      ],
      check: async () => {},
      end: async () => {
        seen.add(`${isPinned ? 'pinned' : 'not pinned'}, ${isDenied ? 'kept' : 'deleted'}`);
        const registry = registryOf(objects);
        if (isPinned) expect((await registry.statManifest('app', reference))?.digest).toBeDefined();
        for await (const tag of registry.tags('app')) await registry.getManifest('app', tag);
      },
    };
  }, 1);
  expect(seen).toContain('pinned, deleted');
});

it('a tag that another image gets while its manifest is deleted is not lost, in any order', async () => {
  const anHourAgo = new Date(Date.now() - 3_600_000);
  const before = createMemoryObjectStore({ now: () => anHourAgo });
  await pushImage(registryOf(before), 'app', image, ['1', '2']);
  await pushImage(registryOf(before), 'app', other, []);
  const { ended } = await explore(async () => {
    const objects = await copiedStore(before);
    return {
      objects,
      actors: [
        { name: 'deletion', run: (mine) => registryOf(mine).deleteManifest('app', digest) },
        { name: 'push', run: (mine) => registryOf(mine).putManifest('app', other.manifest, ['1']) },
      ],
      check: async () => {},
      end: async () => {
        const registry = registryOf(objects);
        expect(await Array.fromAsync(registry.tags('app'))).toEqual(['1']);
        expect((await registry.getManifest('app', '1')).digest).toBe(other.manifest.digest);
      },
    };
  }, 1);
  expect(ended).toBeGreaterThan(10);
});
