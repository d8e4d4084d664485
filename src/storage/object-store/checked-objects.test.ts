import { expect, it } from 'vitest';
import { checkedObjects } from './checked-objects.ts';
import { createMemoryObjectStore } from './memory-object-store.ts';

it('nothing that makes files is done where the check does not pass; reading and deleting go on', async () => {
  const inner = createMemoryObjectStore();
  let isThere = true;
  const objects = checkedObjects(inner, async () => {
    if (!isThere) throw new Error('it is gone');
  });
  await objects.put('a', Buffer.from('1'));
  await (await objects.stage('s'))?.[Symbol.asyncDispose]();
  isThere = false;
  for (const write of [
    () => objects.put('b', Buffer.from('1')),
    () => objects.move('a', 'b'),
    () => objects.stage('t'),
  ]) {
    await expect(write()).rejects.toThrow('it is gone');
  }
  expect(await objects.stat('a')).toBeDefined();
  await (await objects.stage('s', { mustExist: true }))?.discard();
  await objects.delete(['a']);
  expect(await Array.fromAsync(inner.list(''))).toEqual([]);
});
