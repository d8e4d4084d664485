// What goes with a name, and what stays because something else needs it. How the command finds the name is in tasks/private-registry/remove-image.test.ts.
import { expect, it } from 'vitest';
import { imageOf, indexOf, pushImage } from '../../test/contract/content.ts';
import type { Digest } from '../oci/digest.ts';
import { manifestDescriptor } from '../oci/manifest.ts';
import { createMemoryObjectStore } from './memory-object-store.ts';
import { nameRecords } from './name-records.ts';
import { withUnneeded } from './remove-unneeded.ts';
import { storedRegistry } from './stored-registry.ts';

const image = imageOf('image');
const { digest } = image.manifest;

async function newStore() {
  const objects = createMemoryObjectStore();
  const registry = storedRegistry(objects);
  const store = { objects, registry, stripped: registry, names: nameRecords(objects) };
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

it('nothing goes where the name was not there', async () => {
  const { isThere, objects, registry, names } = await newStore();
  const store = { objects, registry, stripped: registry, names };
  const removed = await withUnneeded({ digest, tag: '1' }, { store, repository: 'app' }, async () => false);
  expect([removed, await isThere(digest)]).toEqual([false, true]);
});
