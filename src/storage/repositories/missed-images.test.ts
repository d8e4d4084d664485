import { expect, it } from 'vitest';
import { ImagesError } from '../../oci/errors.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { MISSED_KEY } from '../layout/proxy-keys.ts';
import { forgetMissed, missCounts, missedImages } from './missed-images.ts';

const miss = (reference: string) => ({ reference, asker: '10.0.0.1' });

it('counts add up over processes; what was asked for last comes last', async () => {
  const { objects } = memoryStore();
  for (const names of [
    ['a:1', 'b:1'],
    ['a:1', 'a:1'],
  ]) {
    const counts = missCounts();
    for (const name of names) counts.count(miss(name));
    await counts.flush(objects);
    await counts.flush(objects);
  }
  expect(await missedImages(objects)).toMatchObject([
    { reference: 'b:1', count: 1, asker: '10.0.0.1' },
    { reference: 'a:1', count: 3 },
  ]);
  await forgetMissed(objects);
  expect(await missedImages(objects)).toEqual([]);
});

it('the first one is told, and no other before it is written', async () => {
  const counts = missCounts();
  let told = 0;
  counts.onFirst = () => {
    told += 1;
  };
  for (const name of ['a:1', 'a:1', 'b:1']) counts.count(miss(name));
  expect([told, counts.isPending]).toEqual([1, true]);
  await counts.flush(memoryStore().objects);
  expect(counts.isPending).toBe(false);
  counts.count(miss('a:1'));
  expect(told).toBe(2);
});

it('a thousand are kept, of whatever many', async () => {
  const { objects } = memoryStore();
  const counts = missCounts();
  for (let at = 0; at < 600; at++) counts.count(miss(`first:${at}`));
  await counts.flush(objects);
  for (let at = 0; at < 1500; at++) counts.count(miss(`later:${at}`));
  await counts.flush(objects);
  const all = await missedImages(objects);
  expect(all).toHaveLength(1000);
  expect(all.at(-1)?.reference).toBe('later:1499');
});

it('what cannot be written is kept for the next time; a garbled record counts as none', async () => {
  const { objects } = memoryStore();
  const counts = missCounts();
  counts.count(miss('a:1'));
  const full = { ...objects, put: () => Promise.reject(new ImagesError('NO_SPACE', 'full')) };
  await counts.flush(full);
  counts.count(miss('a:1'));
  await objects.put(MISSED_KEY, Buffer.from('{"images":[{"reference":5},'));
  await counts.flush(objects);
  expect(await missedImages(objects)).toMatchObject([{ reference: 'a:1', count: 2 }]);
  const readOnly = { ...objects, put: () => Promise.reject(new ImagesError('READ_ONLY', 'no')) };
  counts.count(miss('b:1'));
  await counts.flush(readOnly);
  expect(counts.isPending).toBe(false);
});
