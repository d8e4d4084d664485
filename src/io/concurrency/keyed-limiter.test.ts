import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createKeyedLimiter } from './keyed-limiter.ts';

it('what hangs for one key leaves room for others, up to the limit of all', async () => {
  const limit = createKeyedLimiter({ each: 2, all: 3 });
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => async () => {
    started.push(name);
    await new Promise<void>((end) => ends.push(end));
  };
  const all = ['a1', 'a2', 'a3', 'b1', 'b2'].map((name) => limit(name.charAt(0), work(name)));
  await setImmediate();
  expect(started).toEqual(['a1', 'a2', 'b1']);
  ends.shift()?.();
  await setImmediate();
  expect(started).toHaveLength(4);
  while (started.length < all.length || ends.length > 0) {
    ends.shift()?.();
    await setImmediate();
  }
  await Promise.all(all);
  expect([...started].sort()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2']);
});

it('who waits for a turn can be aborted, and a failure frees the turn', async () => {
  const limit = createKeyedLimiter({ each: 1, all: 1 });
  const first = Promise.withResolvers<void>();
  const running = limit('a', () => first.promise);
  const waiting = limit('a', async () => 'ran', AbortSignal.abort(new Error('enough')));
  await expect(waiting).rejects.toThrow('enough');
  first.reject(new Error('broken'));
  await expect(running).rejects.toThrow('broken');
  expect(await limit('b', async () => 'ran')).toBe('ran');
});
