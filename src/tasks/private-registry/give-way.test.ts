import { expect, it } from 'vitest';
import { givingWay, processorTimeOf } from './give-way.ts';

/** Rests of a collection that works for `worked` milliseconds between steps, beside a registry that uses this share of a processor. */
async function restsBeside(share: (time: number) => number | undefined, worked = 10): Promise<readonly number[]> {
  let [time, used] = [0, 0];
  const rests: number[] = [];
  const pass = (ms: number) => {
    used += ms * (share(time) ?? 0);
    time += ms;
  };
  const pause = givingWay({
    now: () => time,
    usedMs: () => (share(time) === undefined ? undefined : used),
    rest: async (ms) => {
      rests.push(ms);
      pass(ms);
    },
  });
  for (let step = 0; step < 4; step++) {
    pass(worked);
    await pause();
  }
  return rests;
}

it('beside a registry that answers requests, work rests nine times as long as it lasts', async () => {
  expect(await restsBeside(() => 0.8)).toEqual([90, 90, 90, 90]);
});

it('beside one that has nothing to do, or that is not known, work goes on', async () => {
  expect(await restsBeside(() => 0.01)).toEqual([]);
  expect(await restsBeside(() => undefined)).toEqual([]);
});

it('goes on when the registry has had nothing to do since the last look', async () => {
  expect(await restsBeside((time) => (time < 60 ? 0.8 : 0))).toEqual([90, 90]);
});

it('rests a second at most, and not after each small step', async () => {
  expect(await restsBeside(() => 1, 5000)).toEqual([1000, 1000, 1000, 1000]);
  expect(await restsBeside(() => 1, 4)).toEqual([108]);
});

it('ends with the signal', async () => {
  const signal = AbortSignal.abort(new Error('ended'));
  let time = 0;
  const now = () => {
    time += 20;
    return time;
  };
  await expect(givingWay({ now, usedMs: now, signal })()).rejects.toThrow('ended');
});

it('the processor time of a process is known, and of none that is not there', () => {
  expect(processorTimeOf(process.pid)).toBeGreaterThan(0);
  expect(processorTimeOf(2 ** 22 + 1)).toBeUndefined();
});
