import { expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import type { Digest } from '../../oci/digest.ts';
import { pullCounts } from '../../storage/repositories/pull-records.ts';
import { hostsAndStore, putFixture } from '../testing/hosts-and-store.ts';
import { withPulls } from './image-pulls.ts';
import { listFullNames, listRegistry } from './list-registry.ts';

const image = buildImage({ layers: [layerOf([{ name: 'a', data: 'a' }])] });
const digest = image.manifest.digest as Digest;

it('a listing shows the pulls of each tag, by stripped and full names; without pulls it is unchanged', async () => {
  await using ends = await hostsAndStore();
  await ends.load('quay.io/b:2', image);
  await putFixture(ends.store.stripped, { path: 'own', tag: '1' }, image);
  const plain = await listRegistry(ends.registry, ends.settings);
  expect(await withPulls(plain, ends.registry, ends.settings)).toEqual(plain);

  const counts = pullCounts();
  counts.count({ repository: 'b', digest, by: 'tag' });
  counts.count({ repository: 'b', digest, by: 'digest' });
  await counts.flush(ends.store.objects);
  const pulls = { 2: { byTag: 1, byDigest: 1, last: expect.any(Date) } };
  expect(await withPulls(plain, ends.registry, ends.settings)).toEqual([
    { name: 'b', tags: ['2'], pulls },
    { name: 'own', tags: ['1'] },
  ]);
  const full = await listFullNames(ends.registry, ends.settings);
  expect(await withPulls(full, ends.registry, ends.settings)).toEqual([
    { name: 'own', tags: ['1'] },
    { name: 'quay.io/b', tags: ['2'], pulls },
  ]);
});

it('a listing of another registry has no pulls', async () => {
  await using ends = await hostsAndStore();
  const listed = [{ name: 'b', tags: ['2'] }];
  const { store: _, ...other } = ends.registry;
  expect(await withPulls(listed, other, ends.settings)).toBe(listed);
});
