import { expect, it } from 'vitest';
import { putImage } from '../../server/testing/content.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { fetchedTags } from '../../storage/repositories/fetched-tags.ts';
import { testDirectory } from '../../storage/testing/directories.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { withFetched } from './fetched-images.ts';
import { listFullNames, listRegistry } from './list-registry.ts';
import { registrySpace } from './registry-space.ts';
import { registryStatus } from './registry-status.ts';

it('listings, space and status say what the proxy has fetched', async () => {
  await using world = await temporaryWorld();
  await using directory = await testDirectory();
  const store = await openEmbeddedStore(directory.path);
  const registry = { label: 'here', registry: store.registry, store };
  expect(await withFetched(await listRegistry(registry, {}), registry)).toEqual([]);
  await putImage(store.registry, 'org/app', 'mine');
  const { manifest } = await putImage(store.registry, 'org/app', '1');
  await store.names.set('quay.io', 'org/app', '1', manifest.digest);
  const name = { host: 'quay.io', path: 'org/app', tag: '1' };
  await fetchedTags(store.objects, store.names).note(name, manifest.digest, { isMoved: true });

  expect(await withFetched(await listRegistry(registry, {}), registry)).toEqual([
    { name: 'org/app', tags: ['1', 'mine'], fetched: ['1'] },
  ]);
  expect(await withFetched(await listFullNames(registry, {}), registry)).toContainEqual({
    name: 'quay.io/org/app',
    tags: ['1'],
    fetched: ['1'],
  });
  const [space] = (await registrySpace(registry, {}, {})).repositories();
  expect(space?.images.map(({ tag, fetched }) => [tag, fetched])).toEqual([
    ['1', true],
    ['mine', undefined],
  ]);
  expect(await registryStatus(world.settings({}, { data: directory.path }))).toMatchObject({ tags: 2, fetched: 1 });
  expect(await withFetched([{ name: 'org/app', tags: ['1'] }], { label: 'far', registry: store.registry })).toEqual([
    { name: 'org/app', tags: ['1'] },
  ]);
});
