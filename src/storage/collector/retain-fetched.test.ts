// What the proxy fetched and nobody pulls any more.
import { expect, it } from 'vitest';
import { type Image, imageOf, pushImage } from '../../../test/contract/content.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { registryStore } from '../registry-store.ts';
import { fetchedTags, listFetchedTags } from '../repositories/fetched-tags.ts';
import { pinsIn } from '../repositories/pins.ts';
import { pullCounts } from '../repositories/pull-records.ts';
import { retainFetched } from './retain-fetched.ts';
import { collectionRun } from './run.ts';

const DAY = 24 * 3600_000;
const PATH = 'org/app';

async function newStore() {
  const store = registryStore(memoryStore());
  const marks = fetchedTags(store.objects, store.names);
  /** As the proxy stores it. */
  const fetched = async (host: string, tag: string, image: Image, isMoved = true) => {
    await pushImage(store.stripped, PATH, image, isMoved ? [tag] : []);
    await store.names.set(host, PATH, tag, image.manifest.digest);
    await marks.note({ host, path: PATH, tag }, image.manifest.digest, { isMoved });
  };
  const expire = (days: number, options: { dryRun?: boolean; age?: number } = {}) => {
    const run = { ...collectionRun({ dryRun: options.dryRun ?? false }), dryRun: options.dryRun ?? false };
    const late = (options.age ?? 10) * DAY;
    const ageOf = (time: Date) => Date.now() + late - time.getTime();
    return retainFetched(store, days * DAY, { ...run, ageOf });
  };
  const tags = () => Array.fromAsync(store.stripped.tags(PATH));
  return { store, marks, fetched, expire, tags };
}

it('goes, with its manifest, its full name and its mark; a dry run says so', async () => {
  const { store, fetched, expire, tags } = await newStore();
  const image = imageOf('old');
  await fetched('quay.io', '1', image);
  expect((await expire(30)).tags).toEqual([]);
  const dry = await expire(5, { dryRun: true });
  expect(await tags()).toEqual(['1']);
  const real = await expire(5);
  expect(dry).toEqual(real);
  expect(real).toMatchObject({
    tags: [{ repository: PATH, tag: '1' }],
    manifests: [{ digest: image.manifest.digest }],
  });
  expect(await store.stripped.statManifest(PATH, image.manifest.digest)).toBeUndefined();
  expect(await store.names.get('quay.io', PATH, '1')).toBeUndefined();
  expect(await Array.fromAsync(listFetchedTags(store))).toEqual([]);
});

it('stays where nothing says how long it is kept', async () => {
  const { store, fetched } = await newStore();
  await fetched('quay.io', '1', imageOf('old'));
  const run = { ...collectionRun({}), ageOf: () => 1000 * DAY };
  expect(await retainFetched(store, undefined, run)).toEqual({ tags: [], manifests: [] });
});

it('stays for so long after its last pull', async () => {
  const { store, fetched, expire } = await newStore();
  const image = imageOf('used');
  await fetched('quay.io', '1', image);
  const pulls = pullCounts();
  pulls.count({ repository: PATH, digest: image.manifest.digest, by: 'tag' });
  await pulls.flush(store.objects);
  expect((await expire(30)).tags).toEqual([]);
  expect((await expire(5)).tags).toHaveLength(1);
});

it('stays when somebody pushed, cached or pinned it since', async () => {
  const { store, fetched, expire, tags } = await newStore();
  const [pushed, cached, pinned] = [imageOf('pushed'), imageOf('cached'), imageOf('pinned')];
  await fetched('quay.io', 'pushed', pushed);
  await fetched('quay.io', 'cached', cached);
  await fetched('quay.io', 'pinned', pinned);
  await new Promise((done) => setTimeout(done, 3));
  await pushImage(store.registry, PATH, pushed, ['pushed']);
  await store.names.set('quay.io', PATH, 'cached', cached.manifest.digest);
  await pinsIn(store.objects).add({ repository: PATH, reference: 'pinned' });
  expect((await expire(5)).tags).toEqual([]);
  expect(await tags()).toEqual(['cached', 'pinned', 'pushed']);
});

it('takes nothing of another host with the same path and tag', async () => {
  const { store, fetched, expire } = await newStore();
  const [old, other] = [imageOf('old'), imageOf('other')];
  await fetched('quay.io', '1', old);
  await pushImage(store.registry, PATH, other, ['1']);
  await store.names.set('ghcr.io', PATH, '1', other.manifest.digest);
  await fetched('gcr.io', '1', old, false);
  expect((await expire(5)).tags).toEqual([{ repository: PATH, tag: '1', digest: old.manifest.digest }]);
  expect(await store.names.get('gcr.io', PATH, '1')).toBeUndefined();
  expect(await store.names.get('ghcr.io', PATH, '1')).toBe(other.manifest.digest);
  expect((await store.stripped.statManifest(PATH, '1'))?.digest).toBe(other.manifest.digest);
});
