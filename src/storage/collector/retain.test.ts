// Retention applied to a store: what goes, what stays, and when it waits. What the rules decide, see retention.test.ts.
import { expect, it } from 'vitest';
import { imageOf, indexOf, pushImage } from '../../../test/contract/content.ts';
import { manifestDescriptor } from '../../oci/manifest.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { tagLinkKey, tagPrefix } from '../layout/registry-keys.ts';
import { RETENTION_KEY } from '../layout/store-keys.ts';
import type { ObjectInfo } from '../objects.ts';
import { registryStore } from '../registry-store.ts';
import { pinsIn } from '../repositories/pins.ts';
import { pullCounts } from '../repositories/pull-records.ts';
import { retain } from './retain.ts';
import type { KeepRule } from './retention.ts';
import { collectionRun } from './run.ts';

const NEWEST: readonly KeepRule[] = [{ images: { repository: 'ci/*', tag: '*' }, newest: 1 }];

/** `ci/app` has the tags 1, 2 and 3, pushed in this order. */
async function newStore() {
  const data = memoryStore();
  const store = registryStore(data);
  const images = ['1', '2', '3'].map((tag) => ({ tag, image: imageOf(tag) }));
  let at = Date.now() - 1000;
  const times = new Map<string, Date>();
  for (const { tag, image } of images) {
    await pushImage(store.registry, 'ci/app', image, [tag]);
    times.set(tagPrefix('ci/app', tag), new Date(at++));
  }
  const aging = <T extends ObjectInfo | undefined>(info: T): T => {
    const [, modified] = [...times].find(([prefix]) => info?.key.startsWith(prefix)) ?? [];
    return info && modified ? { ...info, modified } : info;
  };
  const objects: typeof store.objects = {
    ...store.objects,
    stat: async (key) => aging(await store.objects.stat(key)),
    list: async function* (...args) {
      for await (const info of store.objects.list(...args)) yield aging(info);
    },
  };
  const aged = registryStore({ ...data, objects });
  return {
    store: aged,
    images,
    tags: () => Array.fromAsync(aged.registry.tags('ci/app')),
    isThere: async (digest: string) => (await aged.registry.statManifest('ci/app', digest)) !== undefined,
    apply: (rules = NEWEST, options: { dryRun?: boolean; unasked?: boolean } = {}) => {
      const { dryRun = false, ...retention } = options;
      return retain(aged, { rules, ...retention }, collectionRun({ dryRun }));
    },
  };
}

it('tags that are not kept go with their manifests, and only those', async () => {
  const { apply, tags, isThere, images } = await newStore();
  const { tags: gone, manifests } = await apply();
  expect(gone.map(({ tag }) => tag)).toEqual(['1', '2']);
  expect(manifests).toHaveLength(2);
  expect(await tags()).toEqual(['3']);
  expect(await Promise.all(images.map(({ image }) => isThere(image.manifest.digest)))).toEqual([false, false, true]);
  expect((await apply()).tags).toEqual([]);
});

it('a dry run tells the same, and removes nothing', async () => {
  const { store, apply, tags, images } = await newStore();
  const index = indexOf([images[0]?.image.manifest ?? expect.fail()], {});
  await store.registry.putManifest('ci/app', index, ['1']);
  const signature = indexOf([], { subject: manifestDescriptor(index) });
  await store.registry.putManifest('ci/app', signature, []);
  const dry = await apply(NEWEST, { dryRun: true });
  expect(await tags()).toEqual(['1', '2', '3']);
  const real = await apply();
  const sorted = ({ manifests }: typeof real) => manifests.map(({ digest }) => digest).sort();
  expect(sorted(dry)).toEqual(sorted(real));
  expect(real.manifests).toHaveLength(4);
  expect(dry.tags).toEqual(real.tags);
});

it('what another tag, a recorded name or a pin needs stays', async () => {
  const { store, apply, tags, isThere, images } = await newStore();
  const [first, second] = images.map(({ image }) => image.manifest);
  if (!first || !second) return expect.fail();
  const pins = pinsIn(store.objects);
  await pins.add({ repository: 'ci/app', reference: '1' });
  await pins.add({ repository: 'ci/app', reference: second.digest });
  expect((await apply()).tags.map(({ tag }) => tag)).toEqual(['2']);
  expect(await tags()).toEqual(['1', '3']);
  expect(await isThere(second.digest)).toBe(true);
  await store.names.set('quay.io', 'ci/app', 'old', first.digest);
  await pins.remove({ repository: 'ci/app', reference: '1' });
  expect((await apply()).tags.map(({ tag }) => tag)).toEqual(['1']);
  expect(await isThere(first.digest)).toBe(true);
});

it('full names of all hosts go with the tag', async () => {
  const { store, apply, images } = await newStore();
  const [first, second] = images.map(({ image }) => image.manifest);
  if (!first || !second) return expect.fail();
  await store.names.set('quay.io', 'ci/app', '1', first.digest);
  await store.names.set('ghcr.io', 'ci/app', '1', second.digest);
  await apply();
  expect(await Array.fromAsync(store.names.all())).toEqual([]);
});

it("cosign's tags go with their subject, and no rule counts them", async () => {
  const { store, apply, tags, images } = await newStore();
  for (const at of [0, 2]) {
    const digest = images[at]?.image.manifest.digest ?? '';
    await pushImage(store.registry, 'ci/app', imageOf(`signature ${at}`), [`${digest.replace(':', '-')}.sig`]);
  }
  await apply();
  const digest = images[2]?.image.manifest.digest ?? '';
  expect(await tags()).toEqual(['3', `${digest.replace(':', '-')}.sig`]);
});

it('a recent pull keeps a tag', async () => {
  const { store, apply, images } = await newStore();
  const counts = pullCounts();
  counts.count({ repository: 'ci/app', digest: images[0]?.image.manifest.digest ?? expect.fail(), by: 'tag' });
  await counts.flush(store.objects);
  const rules: readonly KeepRule[] = [{ images: { repository: '**', tag: '*' }, pulledMs: 500 }];
  expect((await apply(rules, { dryRun: true })).tags.map(({ tag }) => tag)).toEqual(['2', '3']);
});

it('a collection by schedule applies only rules whose effect somebody has seen', async () => {
  const { apply, tags, store } = await newStore();
  expect(await apply(NEWEST, { unasked: true })).toMatchObject({ waits: true, manifests: [] });
  expect(await tags()).toHaveLength(3);
  await apply(NEWEST, { dryRun: true });
  const other = NEWEST.map((rule) => ({ ...rule, newest: 2 }));
  expect((await apply(other, { unasked: true })).waits).toBe(true);
  expect((await apply(NEWEST, { unasked: true })).waits).toBe(false);
  expect(await tags()).toEqual(['3']);
  // Rules that remove nothing need not wait.
  await store.objects.delete([RETENTION_KEY]);
  expect((await apply(NEWEST, { unasked: true })).waits).toBe(false);
});

it('a tag that is pushed again while others go stays', async () => {
  const { store, images } = await newStore();
  const third = images[2]?.image.manifest ?? expect.fail();
  const racing = { ...store, stripped: { ...store.stripped } };
  const { referrers } = store.stripped;
  racing.stripped.referrers = async function* (...args) {
    await store.registry.putManifest('ci/app', third, ['1']);
    yield* referrers(...args);
  };
  const { tags } = await retain(racing, { rules: NEWEST }, collectionRun({}));
  expect(tags.map(({ tag }) => tag)).toEqual(['2']);
  expect((await store.registry.statManifest('ci/app', '1'))?.digest).toBe(third.digest);
});

it('a full name that is recorded at the moment when its tag goes is kept', async () => {
  for (const host of ['quay.io', 'ghcr.io']) {
    const { store, images } = await newStore();
    const [first] = images;
    const { digest } = first?.image.manifest ?? expect.fail();
    await store.names.set('quay.io', 'ci/app', '1', digest);
    let isPushed = false;
    const sync: typeof store.objects.sync = async (keys) => {
      await store.objects.sync(keys);
      if (isPushed || !keys.includes(tagLinkKey('ci/app', '1'))) return;
      isPushed = true;
      await store.registry.putManifest('ci/app', first?.image.manifest ?? expect.fail(), ['1']);
      await store.names.set(host, 'ci/app', '1', digest);
    };
    await retain({ ...store, objects: { ...store.objects, sync } }, { rules: NEWEST }, collectionRun({}));
    expect([isPushed, await store.names.get(host, 'ci/app', '1')]).toEqual([true, digest]);
  }
});
