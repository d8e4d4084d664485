// What is pinned, pushed or moved at the worst moment of a deletion, and what comes back after one that was killed. In every order: pinned-while-deleted,
// pushed-while-deleted.
import { expect, it } from 'vitest';
import { pushImage } from '../../../test/contract/content.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Registry } from '../../registry/contract.ts';
import { collectStore } from '../collector/collect.ts';
import { stagedStore } from '../drivers/staged-store.ts';
import { cameByTagKey } from '../layout/image-keys.ts';
import { revisionLinkKey, tagLinkKey } from '../layout/registry-keys.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { registryStore } from '../registry-store.ts';
import { digest, image, other, pin, registryOf } from '../testing/pinned.ts';
import { manifestHistory } from './manifest-history.ts';
import { pinsIn } from './pins.ts';
import { restorePinned } from './restore-pinned.ts';

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
