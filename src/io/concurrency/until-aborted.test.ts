import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { untilAborted } from './until-aborted.ts';

const enough = new Error('enough');

it('waiting for work gives its result or its failure', async () => {
  const { signal } = new AbortController();
  expect(await untilAborted(Promise.resolve(1), signal)).toBe(1);
  expect(await untilAborted(Promise.resolve(2), undefined)).toBe(2);
  await expect(untilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
});

it('waiting ends with the signal; the work goes on', async () => {
  const user = new AbortController();
  const work = sleep(20, 'done');
  setTimeout(() => user.abort(enough), 5);
  await expect(untilAborted(work, user.signal)).rejects.toBe(enough);
  expect(await work).toBe('done');
});

it('work that fails after the signal causes no unhandled rejection', async () => {
  const unseen: unknown[] = [];
  const see = (error: unknown) => unseen.push(error);
  process.on('unhandledRejection', see);
  const work = sleep(5).then(() => Promise.reject(new Error('late')));
  await expect(untilAborted(work, AbortSignal.abort(enough))).rejects.toBe(enough);
  await sleep(20);
  process.off('unhandledRejection', see);
  expect(unseen).toEqual([]);
});
