import { expect, it, onTestFinished, vi } from 'vitest';
import { steadyPace } from './pace.ts';

const MB = 1_000_000;

it('reads nothing while it pauses, whoever reads, and goes on afterwards', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const pause = vi.fn(() => promise);
  const pace = steadyPace({ pause });
  expect(pace(3 * MB)).toBeUndefined();
  const [first, second] = [pace(2 * MB), pace(1)];
  let ended = 0;
  for (const wait of [first, second]) void wait?.then(() => ended++);
  await Promise.resolve();
  expect([pause.mock.calls.length, ended, typeof second]).toEqual([1, 0, 'object']);
  resolve();
  await Promise.all([first, second]);
  expect(pace(1)).toBeUndefined();
});

it('goes on after a pause that failed, if the reader wants to', async () => {
  const pause = vi.fn(async () => {});
  pause.mockRejectedValueOnce(new Error('no'));
  const pace = steadyPace({ pause });
  await expect(pace(5 * MB)).rejects.toThrow('no');
  expect(pace(1)).toBeUndefined();
});

it('counts what is read before a pause against the rate', async () => {
  vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => void vi.restoreAllMocks());
  const ending = new AbortController();
  const pace = steadyPace({ rate: 20 * MB, pause: async () => {}, signal: ending.signal });
  await pace(5 * MB);
  const wait = pace(1);
  ending.abort();
  await expect(wait).rejects.toThrow('abort');
});
