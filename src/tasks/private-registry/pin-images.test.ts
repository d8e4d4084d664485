// Pins that meet removals. What pins do is tested in storage/repositories/pins.test.ts, the commands in test/e2e.
import { expect, it } from 'vitest';
import { imageOf, pushImage } from '../../../test/contract/content.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { PINS, tagLinkKey } from '../../storage/layout.ts';
import type { Objects } from '../../storage/objects.ts';
import { registryStore } from '../../storage/registry-store.ts';
import { listPins, pinImages } from './pin-images.ts';

it('an image that goes just before its pin is there is not said to be pinned', async () => {
  const data = memoryStore();
  const objects: Objects = {
    ...data.objects,
    put: async (key, ...rest) => {
      if (key.startsWith(PINS)) await data.objects.delete([tagLinkKey('app', '1')]);
      return await data.objects.put(key, ...rest);
    },
  };
  const store = { directory: 'memory', ...registryStore({ ...data, objects }) };
  await pushImage(store.registry, 'app', imageOf('image'), ['1']);
  const registry = { label: 'memory', registry: store.registry, store };
  const pinning = pinImages([{ path: 'app', tag: '1' }], registry, {});
  await expect(pinning).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  expect(await listPins(registry)).toEqual([]);
});
