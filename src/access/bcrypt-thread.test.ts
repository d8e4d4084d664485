import { hashSync } from 'bcryptjs';
import { expect, it } from 'vitest';
import { startBcryptThread } from './bcrypt-thread.ts';

const HASH = hashSync('secret', 4);

it('passwords are compared in a thread', async () => {
  using thread = startBcryptThread();
  const asked = ['secret', 'wrong', '', 'Secret', 'secret'].map((password) => thread.compare(password, HASH));
  expect(await Promise.all(asked)).toEqual([true, false, false, false, true]);
});

it('who waits for a thread that ends is told', async () => {
  const thread = startBcryptThread();
  const asked = thread.compare('secret', HASH);
  thread[Symbol.dispose]();
  await expect(asked).rejects.toThrow('no longer checked');
});

it('a thread that fails is replaced at the next question', async () => {
  using thread = startBcryptThread();
  // Not a text: bcrypt throws, and the thread with it.
  await expect(thread.compare(undefined as unknown as string, HASH)).rejects.toThrow('has failed');
  expect(await thread.compare('secret', HASH)).toBe(true);
});
