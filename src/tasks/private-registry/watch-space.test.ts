import { expect, it } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { watchSpace } from './watch-space.ts';

it('a note says once that nine tenths of the quota are used, and again after there was room', async () => {
  let used = 899;
  let looked = 0;
  const said: string[] = [];
  const space = {
    known: undefined,
    used: async () => {
      looked += 1;
      return used;
    },
    recounted: async () => used,
    recount: async () => used,
    add: async () => undefined,
    take: async () => true,
  };
  using _watch = watchSpace(space, { everyMs: 5, limit: () => 1000, onNotice: (text) => said.push(text) });
  const lookedAgain = async () => {
    const before = looked;
    await eventually(() => looked > before + 1);
  };
  await lookedAgain();
  expect(said).toEqual([]);
  used = 900;
  await lookedAgain();
  expect(said).toEqual([expect.stringContaining('900 bytes of the quota of 1000 bytes are used')]);
  used = 100;
  await lookedAgain();
  used = 950;
  await lookedAgain();
  expect(said).toHaveLength(2);
});

it('counts at the start, and when there is a limit again: others may not have known of it', async () => {
  let limit: number | undefined = 1000;
  let counts = 0;
  let looked = 0;
  const space = {
    known: undefined,
    used: async () => {
      looked += 1;
      return 0;
    },
    recount: async () => {
      counts += 1;
      return 0;
    },
    recounted: async () => 0,
    add: async () => undefined,
    take: async () => true,
  };
  using _watch = watchSpace(space, { everyMs: 5, limit: () => limit, onNotice: () => {} });
  await eventually(() => looked > 1);
  expect(counts).toBe(1);
  limit = undefined;
  const before = looked;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(looked).toBeLessThanOrEqual(before + 1);
  limit = 1000;
  await eventually(() => counts === 2);
});
