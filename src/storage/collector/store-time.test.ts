import { afterEach, expect, it, vi } from 'vitest';
import { imageOf, pushImage } from '../../../test/contract/content.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { CLOCK_KEY } from '../layout/store-keys.ts';
import { registryStore } from '../registry-store.ts';
import { takeSample } from '../repositories/space-samples.ts';
import type { RegistryStore } from '../store.ts';
import { collectStore } from './collect.ts';
import { ageSince, leapsBetween, storeTime } from './store-time.ts';

const DAY = 24 * 3600 * 1000;
const YEAR = 365 * DAY;
const START = Date.parse('2026-11-30T12:00:00Z');
const [one, two, three] = [imageOf('one'), imageOf('two'), imageOf('three')];
const step = async () => {};

afterEach(() => {
  vi.useRealTimers();
});

function newStore(): RegistryStore {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  return registryStore(memoryStore());
}

const pass = (days: number) => vi.setSystemTime(Date.now() + days * DAY);
const push = (store: RegistryStore, image: typeof one, tag: string) => pushImage(store.registry, 'app', image, [tag]);
/** A repository without tags does not exist. */
const tagsOf = (store: RegistryStore) => Array.fromAsync(store.registry.tags('app')).catch(() => []);
const isThere = async ({ registry }: RegistryStore, image: typeof one) =>
  (await registry.statManifest('app', image.manifest.digest)) !== undefined;

/** Pushed in the last thirty days, or pulled. */
const rules = [{ images: { repository: 'app', tag: '*' }, pushedMs: 30 * DAY }];
const collect = (store: RegistryStore) => collectStore(store, { retention: { rules } });

it('age is the time that has passed, without the leaps in it', () => {
  const leaps = [
    { from: 100, to: 500 },
    { from: 600, to: 1000 },
  ];
  expect([0, 99, 300, 500, 550, 800, 1000].map((time) => ageSince(time, 1010, leaps))).toEqual([
    210, 111, 110, 110, 60, 10, 10,
  ]);
  expect(ageSince(1020, 1010, leaps)).toBe(-10);
});

it('a leap is a time without a sign of life, in whatever order these are known', () => {
  expect(leapsBetween([])).toEqual([]);
  expect(leapsBetween([50 * DAY, 0, 20 * DAY, 90 * DAY])).toEqual([{ from: 50 * DAY, to: 90 * DAY }]);
});

it('a clock that jumps years ahead makes nothing old, on that day and afterwards', async () => {
  const store = newStore();
  await push(store, one, 'a');
  await push(store, two, 'b');
  await push(store, three, 'b');
  await collect(store);
  pass(1);
  vi.setSystemTime(Date.now() + 3 * YEAR);
  await push(store, one, 'c');
  const collected = await collect(store);
  expect(collected).toMatchObject({ tags: [], manifests: [] });
  expect(collected.leap).toMatchObject({ from: '2026-11-30T12:00:00.000Z' });
  for (let day = 0; day < 6; day++) {
    pass(1);
    const next = await collect(store);
    expect([next.tags, next.manifests, next.leap]).toEqual([[], [], undefined]);
  }
  // What lost its tag a week of the store's days ago goes, and so do tags after thirty of them.
  pass(2);
  expect((await collect(store)).manifests).toHaveLength(1);
  expect(await tagsOf(store)).toEqual(['a', 'b', 'c']);
  for (let days = 0; days < 30; days += 10) {
    pass(10);
    await collect(store);
  }
  expect(await tagsOf(store)).toEqual([]);
});

it('when the clock is set back, time goes on as if nothing had been', async () => {
  const store = newStore();
  await push(store, one, 'a');
  await collect(store);
  vi.setSystemTime(START + 3 * YEAR);
  await collect(store);
  vi.setSystemTime(START + DAY);
  await collect(store);
  expect(await tagsOf(store)).toEqual(['a']);
  pass(28);
  await collect(store);
  pass(5);
  expect(await tagsOf(store)).toEqual(['a']);
  await collect(store);
  expect(await tagsOf(store)).toEqual([]);
});

it.each(['a push each month', 'a sample of each month'])(
  '%s explains a long time without a collection',
  async (how) => {
    const store = newStore();
    await push(store, one, 'a');
    await collect(store);
    for (let month = 0; month < 6; month++) {
      pass(30);
      if (how.startsWith('a push')) await push(store, imageOf(`month ${month}`), 'b');
      else await takeSample(store, { step });
    }
    expect((await collect(store)).tags.map(({ tag }) => tag)).toEqual(['a']);
  },
);

it('a registry that was off for a year takes up where it was', async () => {
  const store = newStore();
  await push(store, one, 'a');
  await push(store, two, 'a');
  await collect(store);
  pass(365);
  expect((await collectStore(store, { dryRun: true, retention: { rules } })).tags).toEqual([]);
  await collect(store);
  expect([await tagsOf(store), await isThere(store, one)]).toEqual([['a'], true]);
  pass(8);
  await collect(store);
  expect([await tagsOf(store), await isThere(store, one)]).toEqual([['a'], false]);
});

it('a store that was never collected is as old as its last sign of life says', async () => {
  const store = newStore();
  await push(store, one, 'a');
  pass(60);
  await push(store, two, 'b');
  expect((await collect(store)).tags.map(({ tag }) => tag)).toEqual(['a']);
  const other = newStore();
  await push(other, one, 'a');
  pass(60);
  expect(await collect(other)).toMatchObject({ tags: [], leap: { from: '2026-11-30T00:00:00.000Z' } });
  expect(await collectStore(registryStore(memoryStore()))).not.toHaveProperty('leap');
});

it('the record is bounded, and a garbled one counts as none', async () => {
  const store = newStore();
  for (let at = 0; at < 120; at++) {
    pass(40);
    await storeTime(store, { isRecorded: true, step });
  }
  const text = Buffer.from((await store.objects.get(CLOCK_KEY)) ?? []).toString();
  expect(JSON.parse(text).leaps).toHaveLength(100);
  const seen = new Date().toISOString();
  for (const garbled of ['', '{', '[]', '{"seen":"never"}', `{"seen":"${seen}","leaps":[1,{"from":"x"}]}`]) {
    await store.objects.put(CLOCK_KEY, Buffer.from(garbled));
    const { ageOf } = await storeTime(store, { isRecorded: false, step });
    expect(ageOf(new Date(Date.now() - DAY))).toBe(DAY);
  }
});
