import { expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import { takeSample } from '../../storage/repositories/space-samples.ts';
import { hostsAndStore, putFixture } from '../testing/hosts-and-store.ts';
import { registrySpace, spaceHistory } from './registry-space.ts';

const image = (name: string) => buildImage({ layers: [layerOf([{ name, data: name }])] });

async function filled() {
  const ends = await hostsAndStore();
  const put = (path: string, tag: string, name: string) => putFixture(ends.store.stripped, { path, tag }, image(name));
  await put('team/app', '1', 'one');
  await put('team/app', '2', 'two');
  await put('team/web', '1', 'one');
  await put('library/alpine', '3', 'alpine');
  const names = async (...asked: string[]) => {
    const space = await registrySpace(ends.registry, { names: asked }, ends.settings);
    return [...space.repositories()].flatMap(({ images }) => images.map(({ name }) => name));
  };
  return { ...ends, put, names, [Symbol.asyncDispose]: () => ends[Symbol.asyncDispose]() };
}

it('the space of images can be asked for by repository, tag and pattern, or for all', async () => {
  await using here = await filled();
  const { names } = here;
  expect(await names()).toEqual(['library/alpine:3', 'team/app:1', 'team/app:2', 'team/web:1']);
  expect(await names('team/app')).toEqual(['team/app:1', 'team/app:2']);
  expect(await names('team/*:1')).toEqual(['team/app:1', 'team/web:1']);
  expect(await names('alpine', 'team/app:2')).toEqual(['library/alpine:3', 'team/app:2']);
  expect(await names('other/**')).toEqual([]);
  await expect(names('team/none')).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
  await expect(names('Not A Name')).rejects.toMatchObject({ code: 'USAGE' });
});

it('the sums of space are those of the whole store, and say what collection would free now and later', async () => {
  await using here = await filled();
  const before = await registrySpace(here.registry, {}, here.settings);
  expect(before.total).toMatchObject({ former: 0, unnamed: 0, reclaimable: { now: 0, later: 0 }, uploads: 0 });
  await here.put('team/app', '2', 'three');
  const after = await registrySpace(here.registry, { names: ['team/web'] }, here.settings);
  const { former, bytes, images, builds, unnamed } = after.total;
  expect(former).toBeGreaterThan(0);
  expect(after.total.reclaimable).toEqual({ now: 0, later: former });
  expect(images + builds + former + unnamed).toBe(bytes);
});

it('the history of space has the samples; another registry has none', async () => {
  await using here = await filled();
  expect(await spaceHistory(here.registry)).toEqual([]);
  const sample = await takeSample(here.store, { step: async () => undefined });
  expect(await spaceHistory(here.registry)).toEqual([sample]);
  const { store: _, ...other } = here.registry;
  await expect(spaceHistory(other)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  await expect(registrySpace(other, {}, here.settings)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});
