import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelay, parseRetryAfter, sleep } from './backoff.ts';

describe('waiting between attempts', () => {
  it('grows threefold, never beyond the longest, with a random half', () => {
    const backoff = { attempts: 9, base: 100, longest: 5000 };
    expect([1, 2, 3, 4, 5].map((done) => backoffDelay(backoff, done, () => 1))).toEqual([100, 300, 900, 2700, 5000]);
    expect([1, 2, 3].map((done) => backoffDelay(backoff, done, () => 0))).toEqual([50, 150, 450]);
  });

  it('ends with the signal’s reason', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const waiting = sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(sleep(60_000, controller.signal)).rejects.toBe(reason);
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2024-05-01T10:00:00Z');

  it.each([
    ['5', 5000],
    [' 0 ', 0],
    ['1.5', 1500],
    ['Wed, 01 May 2024 10:00:30 GMT', 30_000],
    ['Wed, 01 May 2024 09:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('of %j is %j milliseconds', (text, expected) => {
    expect(parseRetryAfter(text, now)).toBe(expected);
  });

  it('is never negative, whatever it says', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
        ),
        (text) => {
          const wait = parseRetryAfter(text, now);
          expect(wait === undefined || wait >= 0).toBe(true);
        },
      ),
    );
  });
});
