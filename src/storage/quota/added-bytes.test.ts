import { expect, it } from 'vitest';
import { ImagesError } from '../../oci/errors.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { ADDED } from '../layout/store-keys.ts';
import { allAdded, endedWriters, forgetAdded, ownAdded } from './added-bytes.ts';

it('each writer has an object of its own, so additions at the same moment are all there', async () => {
  const { objects } = memoryStore();
  const writers = Array.from({ length: 5 }, () => ownAdded(objects));
  await Promise.all(
    writers.map(async (writer, at) => {
      for (const bytes of [100, at, -40]) {
        writer.add(bytes);
        await writer.tell();
      }
    }),
  );
  expect([...(await allAdded(objects)).values()].sort()).toEqual([60, 61, 62, 63, 64]);
});

it('what is added while others are told is told the next time', async () => {
  const { objects } = memoryStore();
  const writer = ownAdded(objects);
  writer.add(1);
  const telling = writer.tell();
  writer.add(2);
  await Promise.all([telling, writer.tell()]);
  expect([writer.bytes, writer.told, await allAdded(objects)]).toEqual([3, 3, new Map([[writer.name, 3]])]);
});

it('what cannot be written is not told', async () => {
  const { objects } = memoryStore();
  const put = () => Promise.reject(new ImagesError('NO_SPACE', 'full'));
  const writer = ownAdded({ ...objects, put });
  writer.add(5);
  await writer.tell();
  expect([writer.bytes, writer.told]).toEqual([5, 0]);
});

it('an emptied or garbled object counts as nothing; writers that have ended can be forgotten', async () => {
  const { objects } = memoryStore();
  const writer = ownAdded(objects);
  writer.add(5);
  await writer.tell();
  for (const [name, text] of [
    ['1.1.dead.1', ''],
    ['1.1.dead.2', 'many'],
    ['1.1.dead.3', '7'],
  ] as const) {
    await objects.put(`${ADDED}${name}`, Buffer.from(text));
  }
  const all = await allAdded(objects);
  expect(all).toEqual(
    new Map([
      [writer.name, 5],
      ['1.1.dead.3', 7],
    ]),
  );
  expect(endedWriters(all.keys())).toEqual(['1.1.dead.3']);
  await forgetAdded(objects, endedWriters(all.keys()));
  expect((await allAdded(objects)).size).toBe(1);
});
