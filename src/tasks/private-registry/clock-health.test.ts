import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { COLLECTED_KEY } from '../../storage/layout/store-keys.ts';
import { clockCheck } from './clock-health.ts';

const DAY = 24 * 3600 * 1000;
const NOW = Date.UTC(2030, 5, 15);

/** A clock that can be set, and one that only passes. */
function clocks(clock = NOW) {
  let passed = 0;
  return {
    now: () => clock,
    passed: () => passed,
    pass: (ms: number) => {
      clock += ms;
      passed += ms;
    },
    set: (time: number) => {
      clock = time;
    },
  };
}

describe('the clock of a registry', () => {
  it('is good while it passes as time does, also over a night in which the machine slept', async () => {
    const time = clocks();
    const check = clockCheck(memoryStore().objects, time);
    await check();
    time.pass(100 * DAY);
    await check();
    time.set(time.now() + DAY);
    await check();
  });

  it('is wrong if it says a time before this program, or before what the store remembers', async () => {
    await expect(clockCheck(memoryStore().objects, clocks(0))()).rejects.toMatchObject({
      isPublic: true,
      message: 'the clock says 1970-01-01',
    });
    const { objects } = memoryStore();
    await objects.put(COLLECTED_KEY, Buffer.from(new Date(NOW + 2 * DAY).toISOString()));
    const time = clocks();
    const check = clockCheck(objects, time);
    await expect(check()).rejects.toThrow('the clock says 2030-06-15, and the store was kept in order on 2030-06-17');
    time.pass(DAY);
    await check();
  });

  it('is doubted for a day after it leapt ahead, unless it is set back', async () => {
    const time = clocks();
    const check = clockCheck(memoryStore().objects, time);
    time.set(NOW + 400 * DAY);
    await expect(check()).rejects.toThrow('the clock went from 2030-06-15 to 2031-07-20 at once');
    time.set(NOW);
    await check();
    time.set(NOW + 400 * DAY);
    await expect(check()).rejects.toThrow('at once');
    time.pass(DAY / 2);
    await expect(check()).rejects.toThrow('at once');
    time.pass(DAY);
    await check();
  });

  it('is right once it was set by the network, on a machine without a battery for it', async () => {
    const time = clocks(DAY);
    const check = clockCheck(memoryStore().objects, time);
    await expect(check()).rejects.toThrow('the clock says 1970-01-02');
    time.set(NOW);
    await check();
  });
});
