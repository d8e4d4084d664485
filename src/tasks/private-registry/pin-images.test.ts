// Which image a name pins. What pins do is tested in storage/repositories/pins.test.ts.
import { describe, expect, it } from 'vitest';
import { imageOf, pushImage } from '../../../test/contract/content.ts';
import { parseReference } from '../../oci/reference.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { PINS } from '../../storage/layout/image-keys.ts';
import { tagLinkKey } from '../../storage/layout/registry-keys.ts';
import type { Objects } from '../../storage/objects.ts';
import { registryStore } from '../../storage/registry-store.ts';
import { listPins, pinImages, unpinImages } from './pin-images.ts';

it('an image that is removed while it is being pinned is not reported as pinned', async () => {
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

/** A registry with `team/app:1`, `library/alpine:latest` and, under a full name, `quay.io/x/y:1`. */
async function pinnable() {
  const store = { directory: 'memory', ...registryStore(memoryStore()) };
  const app = imageOf('app');
  await pushImage(store.registry, 'team/app', app, ['1']);
  await pushImage(store.registry, 'library/alpine', imageOf('alpine'), ['latest']);
  await pushImage(store.stripped, 'quay.io/x/y', imageOf('y'), ['1']);
  const address = { host: '127.0.0.1:5000', hostname: '127.0.0.1', port: 5000, secure: false };
  const registry = { label: 'memory', address, registry: store.registry, store };
  return {
    store,
    registry,
    app: app.manifest.digest,
    pin: (...names: string[]) => pinImages(names.map(parseReference), registry, {}),
    unpin: (...names: string[]) => unpinImages(names.map(parseReference), registry),
    pins: async () => (await listPins(registry)).map(({ repository, reference }) => `${repository} ${reference}`),
  };
}

describe('a pin', () => {
  it('is where the image is, whatever it is called', async () => {
    const { pin, pins, app } = await pinnable();
    const given = await pin('team/app:1', 'alpine', 'quay.io/x/y:1', `team/app@${app}`);
    expect(given).toContainEqual({ repository: 'library/alpine', reference: 'latest' });
    expect((await pins()).sort()).toEqual(
      ['library/alpine latest', 'quay.io/x/y 1', 'team/app 1', `team/app ${app}`].sort(),
    );
    await pin('docker.io/library/alpine:latest', '127.0.0.1:5000/team/app:1');
    expect(await pins()).toHaveLength(4);
  });

  it('is taken away by any of these names, and once', async () => {
    const { pin, unpin, pins } = await pinnable();
    await pin('team/app:1', 'alpine');
    expect(await unpin('docker.io/alpine', '127.0.0.1:5000/team/app:1')).toEqual([
      { repository: 'library/alpine', reference: 'latest' },
      { repository: 'team/app', reference: '1' },
    ]);
    expect(await pins()).toEqual([]);
    await expect(unpin('alpine')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN', hint: expect.any(String) });
  });

  it('is for what is there: else nothing is pinned', async () => {
    const { pin, pins } = await pinnable();
    await expect(pin('team/app:1', 'team/none:1')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    expect(await pins()).toEqual([]);
  });

  it('whose image docker-registry has removed is listed without a digest', async () => {
    const { pin, registry, store, app } = await pinnable();
    await pin('team/app:1', 'alpine');
    await store.objects.delete([tagLinkKey('library/alpine', 'latest')]);
    expect(await listPins(registry)).toEqual([
      { repository: 'library/alpine', reference: 'latest' },
      { repository: 'team/app', reference: '1', digest: app },
    ]);
  });

  it('is kept by the embedded registry alone', async () => {
    const { registry } = await pinnable();
    const { store: _, ...other } = registry;
    await expect(listPins(other)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(pinImages([{ path: 'team/app', tag: '1' }], other, {})).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(unpinImages([{ path: 'team/app', tag: '1' }], other)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});
