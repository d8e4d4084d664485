import { afterEach, expect, it, vi } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatReference } from '../../oci/reference.ts';
import { pullCounts } from '../../storage/repositories/pull-records.ts';
import { hostsAndStore, putFixture } from '../testing/hosts-and-store.ts';
import { chooseImages, isImagePattern, stillOld } from './choose-images.ts';

const DAY = 24 * 3600 * 1000;
const image = buildImage({ layers: [layerOf([{ name: 'a', data: 'a' }])] });
const digest = image.manifest.digest as Digest;

afterEach(() => void vi.useRealTimers());

async function filled() {
  const ends = await hostsAndStore();
  for (const [path, tag] of [
    ['team/app', 'pr-1'],
    ['team/app', 'v1'],
    ['team/app/sub', 'pr-1'],
    ['library/alpine', '3'],
  ] as const)
    await putFixture(ends.store.stripped, { path, tag }, image);
  await ends.load('quay.io/x/y:1', image);
  const choose = async (names: readonly string[], olderThanMs?: number) =>
    (
      await chooseImages({ names, ...(olderThanMs !== undefined && { olderThanMs }) }, ends.registry, ends.settings)
    ).map(({ reference }) => formatReference(reference));
  return { ...ends, choose, [Symbol.asyncDispose]: () => ends[Symbol.asyncDispose]() };
}

it('choosing images takes names as they are, and what patterns match, each once', async () => {
  await using here = await filled();
  const { choose } = here;
  expect(await choose(['not/there:1', 'team/app:v1', 'team/*:*'])).toEqual([
    'not/there:1',
    'team/app:v1',
    'team/app:pr-1',
  ]);
  expect(await choose(['**:pr-?'])).toEqual(['team/app:pr-1', 'team/app/sub:pr-1']);
  expect(await choose(['alpine:*'])).toEqual(['library/alpine:3']);
  expect(await choose(['other/*:*'])).toEqual([]);
});

it('choosing images needs tags, and patterns that can match', async () => {
  await using here = await filled();
  for (const name of ['team/*', '*', 'team/app*', 'UPPER/*:*', 'x/*@sha256:1'])
    await expect(here.choose([name])).rejects.toMatchObject({ code: 'USAGE' });
});

it('choosing images by age leaves out what was pushed or pulled since', async () => {
  await using here = await filled();
  const { choose, store } = here;
  expect(await choose(['**:*'], DAY)).toEqual([]);
  const now = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: now + 2 * DAY });
  const counts = pullCounts();
  counts.count({ repository: 'team/app', digest, by: 'tag' });
  await counts.flush(store.objects);
  expect(await choose(['**:*'], DAY)).toEqual(['library/alpine:3', 'team/app/sub:pr-1', 'x/y:1']);
  const named = ['alpine:3', 'quay.io/x/y:1', `team/app@${digest}`, `x/y@${digest}`];
  expect(await choose(named, DAY)).toEqual(['alpine:3', 'quay.io/x/y:1', `x/y@${digest}`]);
  await expect(choose(['team/none:1'], DAY)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
});

it('choosing images notices what was pushed, pulled or removed while the user was asked', async () => {
  await using here = await filled();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * DAY });
  const { registry, settings, store } = here;
  const chosen = await chooseImages({ names: ['**:*'], olderThanMs: DAY }, registry, settings);
  expect(chosen).toHaveLength(5);
  await store.stripped.putManifest('team/app', await store.stripped.getManifest('team/app', 'v1'), ['v1']);
  const counts = pullCounts();
  counts.count({ repository: 'x/y', digest, by: 'tag' });
  await counts.flush(store.objects);
  await store.registry.deleteTag('library/alpine', '3');
  const left = await stillOld(chosen, registry, settings);
  expect(left.map(({ reference }) => formatReference(reference))).toEqual(['team/app:pr-1', 'team/app/sub:pr-1']);
  const named = [{ reference: { path: 'library/alpine', tag: '3' } }];
  expect(await stillOld(named, registry, settings)).toEqual(named);
});

it('choosing images in another registry works by name, not by age', async () => {
  await using here = await filled();
  const { store: _, ...other } = here.registry;
  const ask = (olderThanMs?: number) =>
    chooseImages({ names: ['team/app:*'], ...(olderThanMs !== undefined && { olderThanMs }) }, other, here.settings);
  expect(await ask()).toHaveLength(2);
  await expect(ask(DAY)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});

it.each([
  ['a/b:1', false],
  ['a/*:1', true],
  ['a/b:v?', true],
  [`a@${digest}`, false],
])('whether [%s] is a pattern: %s', (name, expected) => {
  expect(isImagePattern(name)).toBe(expected);
});
