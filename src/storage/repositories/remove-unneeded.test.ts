// What is removed with a name, and what stays because something else needs it. For the look-up of the name see tasks/private-registry/remove-image.test.ts.
import { describe, expect, it } from 'vitest';
import { imageOf, indexOf, pushImage } from '../../../test/contract/content.ts';
import type { Digest } from '../../oci/digest.ts';
import { manifestDescriptor } from '../../oci/manifest.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { blobKey, revisionLinkKey, tagLinkKey } from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { nameRecords } from './name-records.ts';
import { pinsIn } from './pins.ts';
import { withUnneeded } from './remove-name.ts';
import { storedRegistry } from './stored-registry.ts';

const image = imageOf('image');
const { digest } = image.manifest;

async function newStore() {
  const { objects, blobs } = memoryStore();
  const registry = storedRegistry({ objects, blobs });
  const store = { objects, blobs, registry, stripped: registry, names: nameRecords(objects) };
  await pushImage(registry, 'app', image, ['1']);
  return {
    ...store,
    remove: (tag: string, of: Digest = digest) =>
      withUnneeded({ digest: of, tag }, { store, repository: 'app' }, async () => {
        await registry.deleteTag('app', tag);
        return true;
      }),
    isThere: async (one: Digest) => (await registry.statManifest('app', one)) !== undefined,
  };
}

it('an image without another name goes', async () => {
  const { remove, isThere } = await newStore();
  await remove('1');
  expect(await isThere(digest)).toBe(false);
});

it('an image that an index lists stays, and goes with it', async () => {
  const { remove, isThere, registry } = await newStore();
  const index = indexOf([image.manifest]);
  await registry.putManifest('app', index, ['all']);
  await remove('1');
  expect(await isThere(digest)).toBe(true);
  await remove('all', index.digest);
  expect([await isThere(index.digest), await isThere(digest)]).toEqual([false, false]);
});

it('what is attached stays with its subject, and goes with it', async () => {
  const { remove, isThere, registry } = await newStore();
  const signature = indexOf([], { subject: manifestDescriptor(image.manifest) });
  await registry.putManifest('app', signature, ['signature']);
  await remove('signature', signature.digest);
  expect(await isThere(signature.digest)).toBe(true);
  await remove('1');
  expect([await isThere(signature.digest), await isThere(digest)]).toEqual([false, false]);
});

it('an image that a tag or a recorded name still means stays', async () => {
  const { remove, isThere, registry, names } = await newStore();
  await registry.putManifest('app', image.manifest, ['2']);
  await remove('1');
  expect(await isThere(digest)).toBe(true);
  await names.set('quay.io', 'app', '3', digest);
  await remove('2');
  expect(await isThere(digest)).toBe(true);
});

it('an image with another tag stays while its manifest is damaged', async () => {
  const { remove, objects, blobs, registry } = await newStore();
  await registry.putManifest('app', image.manifest, ['2']);
  await objects.put(blobKey(digest), Buffer.from('damaged'));
  await blobs.check(digest);
  await remove('1');
  expect(await objects.get(revisionLinkKey('app', digest))).toBeDefined();
});

describe('a manifest that cannot be read', () => {
  const index = indexOf([image.manifest]);

  async function withDamagedIndex() {
    const store = await newStore();
    await store.registry.putManifest('app', index, ['all']);
    await store.objects.put(blobKey(index.digest), Buffer.from('damaged'));
    await store.blobs.check(index.digest);
    return store;
  }

  it('may be an index that lists what loses its own tag, which stays until the index goes or is mended', async () => {
    const { remove, isThere, registry } = await withDamagedIndex();
    await remove('1');
    expect(await isThere(digest)).toBe(true);
    await registry.putManifest('app', index, ['all']);
    await remove('all', index.digest);
    expect([await isThere(index.digest), await isThere(digest)]).toEqual([false, false]);
  });

  it('goes with its own tag, and is then in nobody’s way', async () => {
    const { remove, isThere, objects, registry } = await withDamagedIndex();
    await remove('all', index.digest);
    expect(await objects.get(revisionLinkKey('app', index.digest))).toBeUndefined();
    expect(await isThere(digest)).toBe(true);
    await registry.putManifest('app', image.manifest, ['2']);
    await remove('1');
    await remove('2');
    expect(await isThere(digest)).toBe(false);
  });

  it('and has lost its link, keeps what it lists as long as it has a tag', async () => {
    for (const lose of ['emptied', 'lost']) {
      const { remove, isThere, objects, registry } = await newStore();
      await registry.putManifest('app', index, ['all']);
      const link = revisionLinkKey('app', index.digest);
      if (lose === 'emptied') await objects.put(link, new Uint8Array());
      else await objects.delete([link]);
      await remove('1');
      expect([lose, await isThere(digest)]).toEqual([lose, true]);
    }
  });
});

it.each(['just before they go', 'when they have just gone'])('what gets a tag %s is there', async (when) => {
  const { isThere, objects, blobs, registry, names } = await newStore();
  const index = indexOf([image.manifest]);
  await registry.putManifest('app', index, ['1']);
  const signature = indexOf([], { subject: manifestDescriptor(index) });
  await registry.putManifest('app', signature, []);
  let removing = false;
  const racing: Objects = {
    ...objects,
    delete: async (keys) => {
      const isIt = removing && keys.includes(revisionLinkKey('app', index.digest));
      if (isIt && when === 'just before they go') await registry.putManifest('app', index, ['2']);
      await objects.delete(keys);
      if (isIt && when !== 'just before they go') await registry.putManifest('app', index, ['2']);
    },
  };
  const store = { objects: racing, blobs, registry, stripped: registry, names };
  await withUnneeded({ digest: index.digest, tag: '1' }, { store, repository: 'app' }, async () => {
    await registry.deleteTag('app', '1');
    removing = true;
    return true;
  });
  expect((await registry.statManifest('app', '2'))?.digest).toBe(index.digest);
  expect([await isThere(index.digest), await isThere(digest), await isThere(signature.digest)]).toEqual([
    true,
    true,
    true,
  ]);
  expect(await Array.fromAsync(registry.referrers('app', index.digest))).toHaveLength(1);
});

it('what is pinned just before it goes is there', async () => {
  const { isThere, objects, blobs, registry, names } = await newStore();
  let removing = false;
  const racing: Objects = {
    ...objects,
    delete: async (keys) => {
      if (removing && keys.includes(revisionLinkKey('app', digest)))
        await pinsIn(objects).add({ repository: 'app', reference: digest });
      await objects.delete(keys);
    },
  };
  const store = { objects: racing, blobs, registry, stripped: registry, names };
  await withUnneeded({ digest, tag: '1' }, { store, repository: 'app' }, async () => {
    await registry.deleteTag('app', '1');
    removing = true;
    return true;
  });
  expect(await isThere(digest)).toBe(true);
});

it('a tag that is given while its manifest goes has one', async () => {
  const { registry, objects, blobs } = await newStore();
  const link = revisionLinkKey('app', digest);
  const racing: Objects = {
    ...objects,
    put: async (key, ...rest) => {
      if (key === tagLinkKey('app', '2')) await objects.delete([link]);
      return await objects.put(key, ...rest);
    },
  };
  await storedRegistry({ objects: racing, blobs }).putManifest('app', image.manifest, ['2']);
  expect((await registry.statManifest('app', '2'))?.digest).toBe(digest);
});

it('nothing is removed if there was no such name', async () => {
  const { isThere, objects, blobs, registry, names } = await newStore();
  const store = { objects, blobs, registry, stripped: registry, names };
  const removed = await withUnneeded({ digest, tag: '1' }, { store, repository: 'app' }, async () => false);
  expect([removed, await isThere(digest)]).toEqual([false, true]);
});
