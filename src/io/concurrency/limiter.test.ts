import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLimiter } from './limiter.ts';

describe('a limiter', () => {
  it('never runs more than its maximum at a time, and uses all of it', async () => {
    const limit = createLimiter(3);
    let running = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, () =>
        limit(async () => {
          most = Math.max(most, ++running);
          await turn();
          running--;
        }),
      ),
    );
    expect(most).toBe(3);
  });

  it('serves in order of arrival', async () => {
    const limit = createLimiter(1);
    const order: number[] = [];
    await Promise.all([1, 2, 3, 4].map((at) => limit(async () => void order.push(at))));
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it('hands the permit on after a failure', async () => {
    const limit = createLimiter(1);
    await expect(limit(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(limit(async () => 'next')).resolves.toBe('next');
  });

  it('lets one who waits go when the signal fires, and keeps the others', async () => {
    const limit = createLimiter(1);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const first = limit(() => held);
    const abort = new AbortController();
    const second = limit(async () => 'never', abort.signal);
    const third = limit(async () => 'third');
    abort.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    release();
    await first;
    await expect(third).resolves.toBe('third');
  });

  it('does not begin where the signal has fired already', async () => {
    const limit = createLimiter(1);
    await expect(limit(async () => 'never', AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    await expect(limit(async () => 'free')).resolves.toBe('free');
  });

  it('maps in order, and begins nothing after a failure', async () => {
    const limit = createLimiter(2);
    await expect(limit.map([3, 1, 2], async (item, at) => [item, at])).resolves.toEqual([
      [3, 0],
      [1, 1],
      [2, 2],
    ]);
    const begun: number[] = [];
    const all = limit.map([1, 2, 3, 4, 5, 6], async (item) => {
      begun.push(item);
      await turn();
      if (item === 1) throw new Error('first');
    });
    await expect(all).rejects.toThrow('first');
    expect(begun).toEqual([1, 2]);
  });

  it('needs at least one permit', () => {
    expect(() => createLimiter(0)).toThrow(RangeError);
  });
});
