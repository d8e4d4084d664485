import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { imageOf, pushImage } from '../../../test/contract/content.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { registryStore } from '../registry-store.ts';
import { pullCounts } from './pull-records.ts';
import { tagUse } from './tag-use.ts';
import { tellingPulls } from './telling-pulls.ts';

const DAY = 24 * 3600 * 1000;
const START = new Date('2026-01-01');
const day = (days: number) => new Date(START.getTime() + days * DAY);

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: START }));
afterEach(() => void vi.useRealTimers());

it('the last use of a tag is its last push, also of the same image again, or the last pull of its manifest by any name', async () => {
  const counts = pullCounts();
  const store = registryStore(memoryStore(), { policy: (registry) => tellingPulls(registry, counts.count) });
  const image = imageOf('one');
  const { digest } = image.manifest;
  await pushImage(store.registry, 'team/app', image, ['1', 'same']);
  expect(await tagUse(store.objects, 'team/app', '1')).toEqual({ digest, pushed: day(0), used: day(0) });

  vi.setSystemTime(day(3));
  await store.registry.getManifest('team/app', 'same', { pull: 'tag' });
  await counts.flush(store.objects);
  const pulls = { byTag: 1, byDigest: 0, last: day(3) };
  expect(await tagUse(store.objects, 'team/app', '1')).toEqual({ digest, pushed: day(0), pulls, used: day(3) });

  vi.setSystemTime(day(5));
  await store.registry.putManifest('team/app', image.manifest, ['1']);
  expect(await tagUse(store.objects, 'team/app', '1')).toEqual({ digest, pushed: day(5), pulls, used: day(5) });
  expect(await tagUse(store.objects, 'team/app', 'same')).toMatchObject({ pushed: day(0), used: day(3) });
  expect(await tagUse(store.objects, 'team/app', 'none')).toBeUndefined();
});
