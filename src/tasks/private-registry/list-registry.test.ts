import { expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Registry } from '../../registry/contract.ts';
import { hostsAndStore, putFixture } from '../testing/hosts-and-store.ts';
import { listFullNames, listRegistry } from './list-registry.ts';

const image = buildImage({ layers: [layerOf([{ name: 'a', data: 'a' }])] });

it('a listing has repositories and tags in byte order; images that are there by digest alone have no tags', async () => {
  await using ends = await hostsAndStore();
  await ends.load('quay.io/b:2', image);
  await ends.load('quay.io/b:10', image);
  await ends.load('docker.io/library/a:1', image);
  await ends.load(`x.io/c@${image.manifest.digest}`, image);
  expect(await listRegistry(ends.registry, ends.settings)).toEqual([
    { name: 'b', tags: ['10', '2'] },
    { name: 'c', tags: [] },
    { name: 'library/a', tags: ['1'] },
  ]);
});

it('a listing has full names, and stripped ones if no host is recorded', async () => {
  await using ends = await hostsAndStore();
  await ends.load('quay.io/a/b:1', image);
  await ends.load('ghcr.io/a/b:1', image);
  await putFixture(ends.store.stripped, { path: 'a/b', tag: '2' }, image);
  await putFixture(ends.store.stripped, { path: 'own', tag: '1' }, image);
  await ends.load(`x.io/c@${image.manifest.digest}`, image);
  expect(await listFullNames(ends.registry, ends.settings)).toEqual([
    { name: 'a/b', tags: ['2'] },
    { name: 'c', tags: [] },
    { name: 'ghcr.io/a/b', tags: ['1'] },
    { name: 'own', tags: ['1'] },
    { name: 'quay.io/a/b', tags: ['1'] },
  ]);
});

it('a listing skips a repository of the catalogue that is gone, and fails for other errors', async () => {
  await using ends = await hostsAndStore();
  await ends.load('quay.io/here:1', image);
  const failing = (code: 'NAME_UNKNOWN' | 'DENIED'): Registry => ({
    ...ends.registry.registry,
    async *repositories() {
      yield* ['gone', 'here'];
    },
    tags: (name, after, options) => {
      if (name === 'gone') throw new ImagesError(code, 'no tags');
      return ends.registry.registry.tags(name, after, options);
    },
  });
  const list = (code: 'NAME_UNKNOWN' | 'DENIED') =>
    listRegistry({ label: 'x', registry: failing(code) }, ends.settings);
  expect(await list('NAME_UNKNOWN')).toEqual([{ name: 'here', tags: ['1'] }]);
  await expect(list('DENIED')).rejects.toMatchObject({ code: 'DENIED' });
});
