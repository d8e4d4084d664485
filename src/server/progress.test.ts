// A transfer is aborted only if its client moves too few bytes.
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { watchProgress } from './progress.ts';

const limits = { slow: 1000, slowBytes: 100 };

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

/** Whether a transfer is aborted that moves these numbers of bytes in consecutive periods. */
function isGivenUp(moves: readonly number[], waitsForClient = true): boolean {
  let moved = 0;
  const giveUp = vi.fn();
  using _watch = watchProgress({ moved: () => moved, waitsForClient: () => waitsForClient, giveUp }, limits);
  for (const count of moves) {
    moved += count;
    vi.advanceTimersByTime(limits.slow);
  }
  return giveUp.mock.calls.length > 0;
}

it('a transfer at the lowest allowed rate or above goes on', () => {
  expect(isGivenUp([100, 100, 5000, 100])).toBe(false);
});

it('a slower transfer is given up, even if it was fast before', () => {
  expect(isGivenUp([5000, 99])).toBe(true);
  expect(isGivenUp([0])).toBe(true);
});

it('a transfer that waits for the server’s disk goes on', () => {
  expect(isGivenUp([0, 0, 0], false)).toBe(false);
});

it('a transfer that has ended is not given up afterwards', () => {
  const giveUp = vi.fn();
  watchProgress({ moved: () => 0, waitsForClient: () => true, giveUp }, limits)[Symbol.dispose]();
  vi.advanceTimersByTime(10 * limits.slow);
  expect(giveUp).not.toHaveBeenCalled();
});
