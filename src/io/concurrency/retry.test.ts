import { describe, expect, it } from 'vitest';
import { retrying } from './retry.ts';

const backoff = { attempts: 3, base: 1, longest: 50 };

describe('retrying', () => {
  it('stops at the first success', async () => {
    let calls = 0;
    const attempt = async () => {
      calls += 1;
      if (calls < 2) throw new Error('not yet');
      return calls;
    };
    expect(await retrying(attempt, { backoff, judge: () => ({}) })).toBe(2);
  });

  it('throws the last error when the attempts are used up, or the error is permanent', async () => {
    let calls = 0;
    const attempt = async () => {
      calls += 1;
      throw new Error(`no ${calls}`);
    };
    await expect(retrying(attempt, { backoff, judge: () => ({}) })).rejects.toThrow('no 3');
    await expect(retrying(attempt, { backoff, judge: () => 'give-up' })).rejects.toThrow('no 4');
  });

  it('waits as long as it is told, and gives up where that is too long', async () => {
    const waits: number[] = [];
    const attempt = async () => {
      throw new Error('no');
    };
    const onRetry = (wait: number) => waits.push(wait);
    await expect(retrying(attempt, { backoff, judge: () => ({ after: 7 }), onRetry })).rejects.toThrow('no');
    await expect(retrying(attempt, { backoff, judge: () => ({ after: 51 }), onRetry })).rejects.toThrow('no');
    expect(waits).toEqual([7, 7]);
  });

  it('ends with the signal’s reason rather than with an error that the signal made', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const attempt = async () => {
      controller.abort(reason);
      throw new Error('aborted');
    };
    const outcome = retrying(attempt, { backoff, judge: () => ({}), signal: controller.signal });
    await expect(outcome).rejects.toBe(reason);
  });

  it('does not try again what an inner loop has given up', async () => {
    let calls = 0;
    const attempt = async () => {
      calls += 1;
      throw new Error('no');
    };
    const options = { backoff, judge: () => ({}) };
    const inner = () => retrying(attempt, options);
    await expect(retrying(() => retrying(inner, options), options)).rejects.toThrow('no');
    expect(calls).toBe(3);
  });

  it('ignores a requested pause of zero', async () => {
    const waits: number[] = [];
    const attempt = async () => {
      throw new Error('no');
    };
    const slow = { attempts: 3, base: 8, longest: 50 };
    const options = { backoff: slow, judge: () => ({ after: 0 }), onRetry: (wait: number) => waits.push(wait) };
    await expect(retrying(attempt, options)).rejects.toThrow('no');
    expect(waits.every((wait) => wait >= 4)).toBe(true);
  });
});
