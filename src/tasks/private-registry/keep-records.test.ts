import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { image, putImage } from '../../server/testing/content.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { registryStore } from '../../storage/registry-store.ts';
import { pullCounts, pullsOf } from '../../storage/repositories/pull-records.ts';
import { spaceSamples } from '../../storage/repositories/space-samples.ts';
import { tellingPulls } from '../../storage/repositories/telling-pulls.ts';
import { keepRecords } from './keep-records.ts';

const MINUTE = 60_000;

beforeEach(
  () => void vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: new Date('2026-01-01') }),
);
afterEach(() => void vi.useRealTimers());

async function kept(isThere: () => Promise<boolean> = async () => true) {
  const pulls = pullCounts();
  const store = registryStore(memoryStore(), { policy: (registry) => tellingPulls(registry, pulls.count) });
  const { manifest } = await putImage(store.registry, 'x/y', '1', image());
  const failures: unknown[] = [];
  const records = keepRecords(store, { pulls, isThere, onFailure: (error) => failures.push(error) });
  const pull = () => store.registry.getManifest('x/y', '1', { pull: 'tag' });
  const count = async () => (await pullsOf(store.objects, 'x/y', manifest.digest))?.byTag ?? 0;
  const samples = async () => (await Array.fromAsync(spaceSamples(store.objects))).length;
  return { store, records, pull, count, samples, failures };
}

it('pulls are written every minute, in one batch', async () => {
  const { records, pull, count } = await kept();
  for (let pulled = 0; pulled < 5; pulled++) await pull();
  vi.advanceTimersByTime(MINUTE - 1);
  expect(await count()).toBe(0);
  vi.advanceTimersByTime(1);
  await eventually(async () => (await count()) === 5);
  await records.end();
});

it('pending pulls are written at the end, without a sample; nothing is written afterwards', async () => {
  const { records, pull, count, samples } = await kept();
  await pull();
  await records.end();
  expect(await count()).toBe(1);
  await pull();
  vi.advanceTimersByTime(10 * MINUTE);
  expect([await count(), await samples()]).toEqual([1, 0]);
});

it('a sample is taken once a day', async () => {
  const { records, samples } = await kept();
  vi.advanceTimersByTime(MINUTE);
  await eventually(async () => (await samples()) === 1);
  vi.advanceTimersByTime(60 * MINUTE);
  expect(await samples()).toBe(1);
  vi.setSystemTime(new Date('2026-01-02'));
  await eventually(async () => {
    vi.advanceTimersByTime(MINUTE);
    return (await samples()) === 2;
  });
  await records.end();
});

it('a failed write is reported, and tried again the next minute', async () => {
  const { store, records, pull, count, failures } = await kept();
  const put = vi.spyOn(store.objects, 'put').mockRejectedValue(new Error('a faulty disk'));
  await pull();
  vi.advanceTimersByTime(MINUTE);
  await eventually(() => failures.length > 0);
  put.mockRestore();
  await pull();
  vi.advanceTimersByTime(MINUTE);
  await eventually(async () => (await count()) > 0);
  await records.end();
});

it('a failed sample is tried again in an hour, because it walks through the store', async () => {
  const { store, records, samples, failures } = await kept();
  const put = vi.spyOn(store.objects, 'put').mockRejectedValue(new Error('a full disk'));
  const walks = vi.spyOn(store.blobs, 'all');
  for (let minute = 1; minute <= 30; minute++) {
    await vi.advanceTimersByTimeAsync(MINUTE);
    await eventually(() => failures.length > 0);
  }
  expect(walks).toHaveBeenCalledOnce();
  put.mockRestore();
  vi.setSystemTime(Date.now() + 40 * MINUTE);
  vi.advanceTimersByTime(MINUTE);
  await eventually(async () => (await samples()) === 1);
  await records.end();
});

it('nothing is written while the directory is gone', async () => {
  const { records, pull, count, samples } = await kept(async () => false);
  await pull();
  vi.advanceTimersByTime(10 * MINUTE);
  await records.end();
  expect([await count(), await samples()]).toEqual([0, 0]);
});
