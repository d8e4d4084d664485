import { expect, it } from 'vitest';
import { outQueue, whoeverReads } from './answer-out.ts';

const broken = () => Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });

it('a reader that has gone is no error', async () => {
  await whoeverReads(Promise.reject(broken()));
  await expect(whoeverReads(Promise.reject(new Error('full')))).rejects.toThrow('full');
});

it('a queue writes in order, also where writing is slow', async () => {
  const written: string[] = [];
  let wait = 5;
  const queue = outQueue({
    out: async (text) => {
      wait -= 2;
      await new Promise((done) => setTimeout(done, wait));
      written.push(String(text));
    },
  });
  for (const text of ['a', 'b', 'c']) queue.add(text);
  await queue.flushed();
  expect(written).toEqual(['a', 'b', 'c']);
});

it('a queue ends with the first error, and writes nothing after it', async () => {
  const asked: string[] = [];
  const failing = (error: Error) =>
    outQueue({
      out: async (text) => {
        asked.push(String(text));
        throw error;
      },
    });
  const queue = failing(new Error('full'));
  queue.add('a');
  queue.add('b');
  await expect(queue.flushed()).rejects.toThrow('full');
  expect(asked).toEqual(['a']);
  const unread = failing(broken());
  unread.add('c');
  await unread.flushed();
});
