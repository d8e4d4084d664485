// Pushes and deletions of manifests that meet removals, and disks that are full. The contract of a registry is tested by test/contract.
import { expect, it } from 'vitest';
import { imageOf, pushImage } from '../../../test/contract/content.ts';
import { ImagesError } from '../../oci/errors.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { HISTORY } from '../layout/image-keys.ts';
import { tagLinkKey } from '../layout/registry-keys.ts';
import { FORMAT_KEY } from '../layout/store-keys.ts';
import type { Objects } from '../objects.ts';
import { storedRegistry } from './stored-registry.ts';

const image = imageOf('image');

function withObjects(change: (objects: Objects) => Partial<Objects>) {
  const { objects, blobs } = memoryStore();
  return storedRegistry({ objects: { ...objects, ...change(objects) }, blobs });
}

it('a push of the same image again keeps a tag that is removed at the same moment', async () => {
  let isRacing = false;
  const registry = withObjects((objects) => ({
    touch: async (key) => {
      if (isRacing && key === tagLinkKey('app', '1')) await objects.delete([key]);
      return await objects.touch(key);
    },
  }));
  await pushImage(registry, 'app', image, ['1']);
  isRacing = true;
  await registry.putManifest('app', image.manifest, ['1']);
  expect((await registry.statManifest('app', '1'))?.digest).toBe(image.manifest.digest);
});

it('a first push that fails does not make later ones fail', async () => {
  let isFull = true;
  const registry = withObjects((objects) => ({
    put: async (key, ...rest) => {
      if (isFull && key === FORMAT_KEY) throw new ImagesError('NO_SPACE', 'the disk is full');
      return await objects.put(key, ...rest);
    },
  }));
  await expect(pushImage(registry, 'app', image, ['1'])).rejects.toMatchObject({ code: 'NO_SPACE' });
  isFull = false;
  await pushImage(registry, 'app', image, ['1']);
});

it('a tag can be removed while the disk is full', async () => {
  let isFull = false;
  const registry = withObjects((objects) => ({
    put: async (key, ...rest) => {
      if (isFull && key.startsWith(HISTORY)) throw new ImagesError('NO_SPACE', 'the disk is full');
      return await objects.put(key, ...rest);
    },
  }));
  await pushImage(registry, 'app', image, ['1']);
  isFull = true;
  await registry.deleteTag('app', '1');
  expect(await registry.statManifest('app', '1')).toBeUndefined();
});
