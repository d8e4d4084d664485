import { expect, it } from 'vitest';
import { bytesOf, imageOf, pushImage } from '../../../test/contract/content.ts';
import { ImagesError } from '../../oci/errors.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { SPACE } from '../layout/store-keys.ts';
import { isSampled, type SpaceSample, spaceSamples, takeSample, unfinishedBytes } from './space-samples.ts';
import { storedRegistry } from './stored-registry.ts';

const DAY = 24 * 3600 * 1000;
const START = new Date('2026-01-01T12:00:00Z');
const later = (days: number) => new Date(START.getTime() + days * DAY);
const at = (days: number) => ({ now: later(days), step: async () => undefined });

async function filled() {
  const store = memoryStore();
  const image = imageOf('one');
  await pushImage(storedRegistry(store), 'team/app', image, ['1']);
  const parts = [image.config, ...image.layers].map(({ descriptor }) => descriptor.size);
  return { store, bytes: parts.reduce((sum, size) => sum + size, image.manifest.bytes.length) };
}

it('a sample has all blobs, and the bytes of unfinished uploads', async () => {
  const { store, bytes } = await filled();
  {
    await using upload = await storedRegistry(store).openUpload('team/app');
    await upload.append([bytesOf('begun', 500)] as never);
  }
  const expected: SpaceSample = { at: START, blobs: 4, bytes, unfinished: 500 };
  expect(await takeSample(store, at(0))).toEqual(expected);
  expect(await Array.fromAsync(spaceSamples(store.objects))).toEqual([expected]);
});

it('there is one for each day, the oldest first', async () => {
  const { store } = await filled();
  for (const days of [1, 0, 2, 2.3]) await takeSample(store, at(days));
  expect((await Array.fromAsync(spaceSamples(store.objects))).map((sample) => sample.at)).toEqual(
    [0, 1, 2.3].map(later),
  );
  expect(await isSampled(store.objects, later(2.4))).toBe(true);
  expect(await isSampled(store.objects, later(3))).toBe(false);
});

it('they are kept for 400 days', async () => {
  const { store } = await filled();
  for (let day = 0; day < 410; day++) await takeSample(store, at(day));
  const kept = await Array.fromAsync(spaceSamples(store.objects));
  expect(kept).toHaveLength(400);
  expect(kept[0]?.at).toEqual(later(10));
});

it('an empty store has none: nothing is written', async () => {
  const store = memoryStore();
  expect(await takeSample(store, at(0))).toBeUndefined();
  expect(await Array.fromAsync(store.objects.list(''))).toEqual([]);
});

it('one that is garbled counts as none', async () => {
  const { store } = await filled();
  for (const text of ['', '{', '{"at":"2026-01-01","blobs":1}', '{"at":"x","blobs":1,"bytes":1,"unfinished":1}']) {
    await store.objects.put(`${SPACE}2026-01-01`, Buffer.from(text));
    expect(await isSampled(store.objects, START)).toBe(false);
    expect(await Array.fromAsync(spaceSamples(store.objects))).toEqual([]);
  }
});

it('on a read-only store, the bytes of unfinished uploads are not known', async () => {
  const sweep = () => Promise.reject(new ImagesError('READ_ONLY', 'no'));
  expect(await unfinishedBytes({ sweep })).toBeUndefined();
});
