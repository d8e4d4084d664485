// What is pinned at the moment in which it is deleted, in every order of the two's calls with few switches between them.
import { beforeAll, expect, it } from 'vitest';
import { imageOf, pushImage } from '../../../test/contract/content.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Registry } from '../../registry/contract.ts';
import { collectStore } from '../collector/collect.ts';
import { stagedStore } from '../drivers/staged-store.ts';
import { cameByTagKey } from '../layout/image-keys.ts';
import { revisionLinkKey, tagLinkKey } from '../layout/registry-keys.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { registryStore } from '../registry-store.ts';
import { copiedStore, explore } from '../testing/interleavings.ts';
import { linkedManifest } from './list-manifests.ts';
import { manifestHistory } from './manifest-history.ts';
import { pinsIn } from './pins.ts';
import { restorePinned } from './restore-pinned.ts';
import { storedRegistry } from './stored-registry.ts';

const SWITCHES = 2;
const image = imageOf('image');
const { digest } = image.manifest;
const registryOf = (objects: ObjectStore) => storedRegistry(stagedStore(objects));

const tagged = createMemoryObjectStore();
await pushImage(registryOf(tagged), 'app', image, ['1', '2']);

// What deletes is loaded when it is needed first, and loading is no call to the store: the explorer would not wait for it.
beforeAll(async () => {
  const objects = createMemoryObjectStore();
  await pushImage(registryOf(objects), 'app', image, ['1']);
  await registryOf(objects).deleteTag('app', '1');
});

/** As `lreg_pin` does it. */
async function pin(objects: ObjectStore, reference: string): Promise<boolean> {
  const store = stagedStore(objects).objects;
  await pinsIn(store).add({ repository: 'app', reference });
  if ((await linkedManifest(store, 'app', reference)) !== undefined) return true;
  await pinsIn(store).remove({ repository: 'app', reference });
  return false;
}

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

const other = imageOf('other');
const both = await copiedStore(tagged);
await pushImage(registryOf(both), 'app', other, []);

it.each([
  ['a tag', '1', other, (registry: Registry) => registry.deleteTag('app', '1')],
  ['a tag of the same manifest', '1', image, (registry: Registry) => registry.deleteManifest('app', digest)],
])('%s that is pushed and pinned while it is deleted is there', async (_what, reference, pushed, remove) => {
  const seen = new Set<string>();
  await explore(async () => {
    const objects = await copiedStore(both);
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

it('a manifest that is pushed while it is deleted is there with its tag', async () => {
  const objects = createMemoryObjectStore();
  await pushImage(registryOf(objects), 'app', image, ['1', '2']);
  const link = revisionLinkKey('app', digest);
  const pushedMeanwhile: ObjectStore = {
    ...objects,
    delete: async (keys) => {
      if (keys.includes(link)) await registryOf(objects).putManifest('app', image.manifest, ['1']);
      await objects.delete(keys);
    },
  };
  await registryOf(pushedMeanwhile).deleteManifest('app', digest);
  const registry = registryOf(objects);
  expect(await Array.fromAsync(registry.tags('app'))).toEqual(['1']);
  expect((await registry.getManifest('app', '1')).bytes).toEqual(image.manifest.bytes);
});

it('a tag that is moved to another image while its manifest is deleted stays', async () => {
  const objects = createMemoryObjectStore();
  await pushImage(registryOf(objects), 'app', image, ['1', '2']);
  await pushImage(registryOf(objects), 'app', other, []);
  const movedMeanwhile: ObjectStore = {
    ...objects,
    delete: async (keys) => {
      if (keys.includes(tagLinkKey('app', '1'))) await registryOf(objects).putManifest('app', other.manifest, ['2']);
      await objects.delete(keys);
    },
  };
  await registryOf(movedMeanwhile).deleteManifest('app', digest);
  const registry = registryOf(objects);
  expect(await Array.fromAsync(registry.tags('app'))).toEqual(['2']);
  expect((await registry.statManifest('app', '2'))?.digest).toBe(other.manifest.digest);
  expect(await registry.statManifest('app', digest)).toBeUndefined();
});

it('a push of another image stays where a pinned tag would be put back', async () => {
  const objects = createMemoryObjectStore();
  const registry = registryOf(objects);
  await pushImage(registry, 'app', image, ['1']);
  await pushImage(registry, 'app', other, []);
  await pinsIn(stagedStore(objects).objects).add({ repository: 'app', reference: '1' });
  await expect(registry.deleteTag('app', '1')).rejects.toMatchObject({ code: 'DENIED' });
  expect((await registry.statManifest('app', '1'))?.digest).toBe(digest);
  await registry.putManifest('app', other.manifest, ['1']);
  await expect(registry.deleteManifest('app', other.manifest.digest)).rejects.toMatchObject({ code: 'DENIED' });
  expect((await registry.statManifest('app', '1'))?.digest).toBe(other.manifest.digest);
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

it('a tag that was moved, then pinned, while it is deleted is put back as it was moved', async () => {
  let now = Date.now() - 3_600_000;
  const objects = createMemoryObjectStore({ now: () => new Date(now) });
  await pushImage(registryOf(objects), 'app', image, ['1']);
  await pushImage(registryOf(objects), 'app', other, []);
  now = Date.now();
  const pinnedMeanwhile: ObjectStore = {
    ...objects,
    delete: async (keys) => {
      if (keys.includes(tagLinkKey('app', '1'))) {
        await registryOf(objects).putManifest('app', other.manifest, ['1']);
        await pin(objects, '1');
      }
      await objects.delete(keys);
    },
  };
  await expect(registryOf(pinnedMeanwhile).deleteTag('app', '1')).rejects.toMatchObject({ code: 'DENIED' });
  expect((await registryOf(objects).statManifest('app', '1'))?.digest).toBe(other.manifest.digest);
});

it.each([
  ['a tag', (registry: Registry) => registry.deleteTag('app', '1')],
  ['a manifest', (registry: Registry) => registry.deleteManifest('app', digest)],
])(
  'a tag that was pinned, and lost because a deletion of %s was killed, comes back with the next collection',
  async (_what, remove) => {
    const objects = createMemoryObjectStore();
    await pushImage(registryOf(objects), 'app', image, ['1', '2']);
    const killed: ObjectStore = {
      ...objects,
      delete: async (keys) => {
        const isTag = keys.includes(tagLinkKey('app', '1'));
        if (isTag) await pin(objects, '1');
        await objects.delete(keys);
        if (isTag) throw new Error('killed');
      },
    };
    await expect(remove(registryOf(killed))).rejects.toThrow('killed');
    expect(await registryOf(objects).statManifest('app', '1')).toBeUndefined();
    const store = stagedStore(objects);
    await restorePinned(store);
    expect((await registryOf(objects).getManifest('app', '1')).digest).toBe(digest);
    await restorePinned(store);
    // What is removed as it should be does not come back.
    await pinsIn(store.objects).add({ repository: 'app', reference: digest });
    await pinsIn(store.objects).remove({ repository: 'app', reference: '1' });
    await registryOf(objects).deleteTag('app', '1');
    await pinsIn(store.objects).add({ repository: 'app', reference: '1' });
    await restorePinned(store);
    expect(await registryOf(objects).statManifest('app', '1')).toBeUndefined();
  },
);

it('a pinned tag that cannot be put back on a full disk keeps its manifest until it can', async () => {
  const objects = createMemoryObjectStore();
  await pushImage(registryOf(objects), 'app', image, ['1']);
  await pin(objects, '1');
  // As far as a deletion comes that is killed.
  await manifestHistory(stagedStore(objects).objects).losesTag('app', digest);
  await objects.delete([tagLinkKey('app', '1')]);
  const collected = async (on: ObjectStore) => {
    const collectable = registryStore(stagedStore(on));
    await collectStore(collectable, { olderThanMs: 0 });
    return (await registryOf(objects).statManifest('app', '1'))?.digest;
  };
  const full: ObjectStore = {
    ...objects,
    put: async (key, bytes, options) => {
      if ([tagLinkKey('app', '1'), cameByTagKey('app', digest)].includes(key))
        throw new ImagesError('NO_SPACE', 'full');
      return await objects.put(key, bytes, options);
    },
  };
  expect(await collected(full)).toBeUndefined();
  expect((await registryOf(objects).statManifest('app', digest))?.digest).toBe(digest);
  expect(await collected(objects)).toBe(digest);
});
