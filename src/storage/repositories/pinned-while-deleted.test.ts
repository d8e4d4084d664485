// What is pinned at the moment in which it is deleted, in every order of the two's calls with few switches between them.
import { beforeAll, expect, it } from 'vitest';
import { pushImage } from '../../../test/contract/content.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { Registry } from '../../registry/contract.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import { copiedStore, explore } from '../testing/interleavings.ts';
import { digest, image, pin, registryOf } from '../testing/pinned.ts';

const SWITCHES = 2;

const tagged = createMemoryObjectStore();
await pushImage(registryOf(tagged), 'app', image, ['1', '2']);

// What deletes is loaded when it is needed first, and loading is no call to the store: the explorer would not wait for it.
beforeAll(async () => {
  const objects = createMemoryObjectStore();
  await pushImage(registryOf(objects), 'app', image, ['1']);
  await registryOf(objects).deleteTag('app', '1');
});

it.each([
  ['a tag', '1', (registry: Registry) => registry.deleteTag('app', '1')],
  ['a tag of a manifest', '1', (registry: Registry) => registry.deleteManifest('app', digest)],
  ['a manifest', digest, (registry: Registry) => registry.deleteManifest('app', digest)],
])('%s is not said to be pinned, and gone; nor is it gone half', async (_what, reference, remove) => {
  const seen = new Set<string>();
  await explore(async () => {
    const objects = await copiedStore(tagged);
    let isPinned = false;
    let isDenied = false;
    return {
      objects,
      actors: [
        {
          name: 'pin',
          run: async (mine) => {
            isPinned = await pin(mine, reference);
          },
        },
        {
          name: 'deletion',
          run: (mine) =>
            remove(registryOf(mine)).catch((error: unknown) => {
              if (!isImagesError(error, 'DENIED')) throw error;
              isDenied = true;
            }),
        },
      ],
      check: async () => {},
      end: async () => {
        seen.add(`${isPinned ? 'pinned' : 'not pinned'}, ${isDenied ? 'kept' : 'deleted'}`);
        const registry = registryOf(objects);
        const found = (await registry.statManifest('app', reference))?.digest;
        expect(found).toBe(isDenied ? digest : undefined);
        if (isPinned) expect(isDenied).toBe(true);
        // What was put back is whole.
        if (isDenied) {
          expect((await registry.getManifest('app', digest)).bytes).toEqual(image.manifest.bytes);
          expect(await Array.fromAsync(registry.tags('app'))).toEqual(['1', '2']);
        }
      },
    };
  }, SWITCHES);
  expect(seen).toContain('pinned, kept');
  expect(seen).toContain('not pinned, deleted');
});
