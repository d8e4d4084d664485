import { expect, it } from 'vitest';
import { buildImage, buildIndex, layerOf } from '../../../test/fixtures/image.ts';
import { fullReference, parseReference } from '../../oci/reference.ts';
import { hostsAndStore } from '../testing/hosts-and-store.ts';
import { cacheImages } from './cache-images.ts';

const of = (architecture: string) =>
  buildImage({ architecture, layers: [layerOf([{ name: 'a', data: architecture }])] });
const index = buildIndex([of('amd64'), of('arm64')]);

it('brings an image into the store, under its stripped and its full name', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.publish('quay.io/a/b:1', index);
  const result = await cacheImages([name], ends, { platforms: 'all' });
  expect(result).toMatchObject({ dryRun: false, failed: [] });
  expect(result.copied).toHaveLength(1);
  expect((await ends.store.stripped.statManifest('a/b', '1'))?.digest).toBe(index.manifest.digest);
  expect(await ends.store.names.hostsOf('a/b', '1')).toEqual([{ host: 'quay.io', digest: index.manifest.digest }]);
});

it('fetches no blob the second time', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.publish('quay.io/a/b:1', of('amd64'));
  const platforms = [{ os: 'linux', architecture: 'amd64' }];
  await cacheImages([name], ends, { platforms });
  expect((await cacheImages([name], ends, { platforms })).fetched).toBe(0);
});

it('plans only, where that is wanted', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.publish('quay.io/a/b:1', index);
  const { dryRun, planned, copied } = await cacheImages([name], ends, { platforms: 'all', dryRun: true });
  expect([dryRun, planned, copied]).toEqual([true, ['quay.io/a/b:1'], []]);
  expect(await Array.fromAsync(ends.store.registry.repositories())).toEqual([]);
});

it('ends with the first failure, or goes on and lists it', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.publish('quay.io/a/b:1', of('amd64'));
  const absent = fullReference(parseReference('quay.io/a/absent:1'));
  const platforms = [{ os: 'linux', architecture: 'amd64' }];
  await expect(cacheImages([absent, name], ends, { platforms })).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
  const { copied, failed } = await cacheImages([absent, name], ends, { platforms, keepGoing: true });
  expect(copied).toHaveLength(1);
  expect(failed).toEqual([expect.objectContaining({ image: 'quay.io/a/absent:1' })]);
});
