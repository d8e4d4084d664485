// A year of a registry's life: pushes, moved and deleted tags, pulls by digest, builds, uploads that nobody ends, nightly tags that rules of retention let go unless
// they are pinned, bytes that rot and come back from where they came, daily collections, weekly checks, and processes that are killed in the middle. Nothing that
// has a name, is kept or is pinned is lost, and the space stays what these and the last weeks need. A day takes ten milliseconds of a processor, and days cannot be
// left out: what a collection may delete depends on those before. So each run has sixty days, twice as many as anything is kept without a name; `npm run soak` has
// whole years, and more names and collections.
import { afterEach, expect, it, vi } from 'vitest';
import { bytesOf, chunked, opener } from '../../../test/contract/content.ts';
import { rounds, timeFor } from '../../../test/testing/soak.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { builtImages } from '../builds/built-images.ts';
import { looseBlobs } from '../builds/loose-blobs.ts';
import { checkStore } from '../check/check-store.ts';
import { findFaults } from '../check/find-faults.ts';
import type { LostBlob } from '../check/findings.ts';
import { stagedStore } from '../drivers/staged-store.ts';
import { cameByTagKey } from '../layout/image-keys.ts';
import { blobKey } from '../layout/registry-keys.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import { registryStore } from '../registry-store.ts';
import { linkedManifest } from '../repositories/list-manifests.ts';
import { pinsIn } from '../repositories/pins.ts';
import { withUnneeded } from '../repositories/remove-name.ts';
import type { RegistryStore } from '../store.ts';
import { killable, wasKilled } from '../testing/killable.ts';
import {
  keptNightly,
  type Model,
  NIGHTLY,
  namedBlobs,
  newImage,
  newIndex,
  newModel,
  type Pushed,
  type Random,
  RULES,
  randomFrom,
  remember,
  sizeOf,
} from '../testing/year-model.ts';
import { collectStore } from './collect.ts';

const DAY = 24 * 3600 * 1000;
const isSoak = rounds(1) > 1;
const REPOSITORIES = isSoak ? ['team/app', 'team/web', 'base', 'tools/a', 'tools/b'] : ['team/app', 'base'];
const TAGS = isSoak ? ['latest', 'v1', 'v2', 'test'] : ['latest', 'v1'];
const COLLECTIONS_A_DAY = isSoak ? 2 : 1;
const DAYS = isSoak ? 365 : 60;
const RETENTION = { retention: { rules: RULES } };

afterEach(() => {
  vi.useRealTimers();
});

it(`${DAYS} days of pushes, collections, rot and crashes lose nothing that has a name, in bounded space`, {
  timeout: timeFor(120_000),
}, async () => {
  for (let seed = 1; seed <= rounds(1); seed++) await live(seed, DAYS);
});

async function live(seed: number, days: number): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-01-01T00:00:00Z') });
  const random = randomFrom(seed);
  const disk = createMemoryObjectStore();
  const model = newModel();
  for (let day = 0; day < days; day++) {
    model.written.push(0);
    await liveDay({ day, seed, random, disk, model });
    vi.setSystemTime(Date.now() + DAY);
    if (day % 10 === 9 || day === days - 1)
      await check(registryStore(stagedStore(disk)), model, `seed ${seed}, day ${day}`);
  }
  // A quiet month later only what has a name is left.
  for (let day = 0; day < 30; day++) {
    await collectStore(registryStore(stagedStore(disk)), RETENTION);
    vi.setSystemTime(Date.now() + DAY);
  }
  const left = registryStore(stagedStore(disk));
  await check(left, model, `seed ${seed}, after a quiet month`);
  const named = namedBlobs(model);
  const stored = (await Array.fromAsync(left.blobs.all())).map(({ digest }) => digest);
  expect(stored.filter((digest) => !named.has(digest))).toEqual([]);
  expect((await Array.fromAsync(left.registry.tags(NIGHTLY))).sort()).toEqual([...keptNightly(model).keys()].sort());
  expect((await checkStore(left, { betweenMs: 0 })).lost).toEqual([]);
  expect(await Array.fromAsync(left.objects.list('images/aside/'))).toEqual([]);
  expect(await Array.fromAsync(left.objects.list('images/used/'))).toEqual([]);
}

interface Day {
  readonly day: number;
  readonly seed: number;
  readonly random: Random;
  readonly disk: ReturnType<typeof createMemoryObjectStore>;
  readonly model: Model;
}

async function liveDay({ day, seed, random, disk, model }: Day): Promise<void> {
  const one = <T>(all: readonly T[]): T => all[random(all.length)] as T;
  const process = () => {
    const life = killable(disk);
    return { ...life, store: registryStore(stagedStore(life.objects)), isDead: () => life.isDead };
  };

  /** What a killed process had begun may be there or not: the name counts when it was acknowledged, and what it was before until then. */
  async function doing(work: (store: RegistryStore) => Promise<void>): Promise<boolean> {
    const life = process();
    if (random(10) === 0) life.killAfter(random(120));
    try {
      await work(life.store);
      return true;
    } catch (error) {
      if (!wasKilled(error)) throw error;
      return false;
    } finally {
      await life.bury();
    }
  }

  async function push(repository: string, tag: string | undefined): Promise<void> {
    const image =
      random(4) === 0
        ? newIndex(`${seed} ${day} ${random(1e6)}`, random)
        : newImage(`${seed} ${day} ${random(1e6)}`, random);
    remember(model.source, image);
    const isDone = await doing((store) => pushAll(store, repository, image, tag));
    model.written[day] = (model.written[day] ?? 0) + sizeOf(image);
    // It may have been acknowledged to nobody, and be there all the same.
    const isThere = tag !== undefined && (await tagOf(disk, repository, tag)) === image.manifest.digest;
    if (!isDone && !isThere) model.leftovers.push(...(await leftBehind(disk, repository, image)));
    else if (tag === undefined) model.digests.set(`${repository}@${image.manifest.digest}`, image);
    else if (repository === NIGHTLY) model.nightly.set(tag, { image, pushed: Date.now() });
    else model.tags.set(`${repository}:${tag}`, image);
  }

  async function remove(repository: string, tag: string): Promise<void> {
    const image = model.tags.get(`${repository}:${tag}`);
    if (!image) return;
    const { digest } = image.manifest;
    await doing(async (store) => {
      if (random(2) === 0) await store.registry.deleteTag(repository, tag);
      else
        await withUnneeded({ digest, tag }, { store, repository }, async () => {
          await store.registry.deleteTag(repository, tag);
          return true;
        });
    });
    if ((await tagOf(disk, repository, tag)) === undefined) model.tags.delete(`${repository}:${tag}`);
    else if ((await tagOf(disk, repository, tag)) !== digest) throw new Error('a tag that is deleted became another');
  }

  async function askByDigest(): Promise<void> {
    const repository = one(REPOSITORIES);
    for (const [key, image] of [...model.tags].filter(([name]) => name.startsWith(`${repository}:`)).slice(0, 1)) {
      const tag = key.slice(repository.length + 1);
      await push(repository, tag);
      vi.setSystemTime(Date.now() + 2 * 3600 * 1000);
      if (model.tags.get(key) === image) continue;
      const isDone = await doing(async (store) => {
        await store.registry.getManifest(repository, image.manifest.digest);
      });
      if (isDone) model.digests.set(`${repository}@${image.manifest.digest}`, image);
    }
  }

  async function build(): Promise<void> {
    const image = newImage(`${seed} built ${day}`, random);
    remember(model.source, image);
    const isDone = await doing(async (store) => {
      for (const { descriptor, bytes } of image.blobs)
        await looseBlobs(store.blobs).put(descriptor, opener(Buffer.from(bytes)));
      await builtImages(store).record({ path: 'built', tag: 'latest' }, image.manifest);
    });
    if (
      isDone ||
      (await builtImages(stagedStore(disk)).find({ path: 'built', tag: 'latest' })) === image.manifest.digest
    )
      model.built.set('latest', image);
    model.written[day] = (model.written[day] ?? 0) + sizeOf(image);
  }

  async function abandon(): Promise<void> {
    await doing(async (store) => {
      await using upload = await store.registry.openUpload(one(REPOSITORIES));
      await upload.append(chunked(bytesOf(`abandoned ${day}`, 3000)));
    });
    model.written[day] = (model.written[day] ?? 0) + 3000;
  }

  /** As `lreg_pin`: who pins a tag looks afterwards whether it is there. */
  async function pin(): Promise<void> {
    const tag = one([...model.nightly.keys()]);
    if (tag === undefined) return;
    const reference = { repository: NIGHTLY, reference: tag };
    let isPinned = false;
    await doing(async ({ objects }) => {
      await pinsIn(objects).add(reference);
      isPinned = (await linkedManifest(objects, NIGHTLY, tag)) !== undefined;
      if (!isPinned) await pinsIn(objects).remove(reference);
    });
    if (isPinned) model.pinned.add(tag);
  }

  async function unpin(): Promise<void> {
    const tag = one([...model.pinned]);
    if (tag === undefined) return;
    model.pinned.delete(tag);
    await doing(async ({ objects }) => {
      await pinsIn(objects).remove({ repository: NIGHTLY, reference: tag });
    });
  }

  /** Bytes change on the disk, a check finds them, and what is lost is fetched from where it came, as `lreg_check --repair` does. */
  async function rot(): Promise<void> {
    const store = registryStore(stagedStore(disk));
    const blobs = await Array.fromAsync(store.blobs.all());
    const rotten = new Set([one(blobs), one(blobs)].flatMap((blob) => blob?.digest ?? []));
    for (const digest of rotten) {
      for await (const bytes of (await disk.get(blobKey(digest))) ?? []) bytes[0] = (bytes[0] ?? 0) ^ 1;
    }
    const check = { origin: 'scheduled', betweenMs: 0 } as const;
    if (random(4) === 0) await doing(async (killed) => void (await checkStore(killed, check)));
    let { lost } = await checkStore(store, check);
    // A manifest that comes back may show that its blobs are lost, too.
    for (; lost.length > 0; { lost } = await findFaults(store, { betweenMs: 0 })) await fetchAgain(store, lost);
    for (const digest of rotten) {
      if (!(await store.blobs.find(digest))) continue;
      const bytes = Buffer.concat(await Array.fromAsync((await store.blobs.read(digest)) ?? []));
      expect(digestOf(bytes), 'what is served').toBe(digest);
    }
  }

  async function fetchAgain(store: RegistryStore, lost: readonly LostBlob[]): Promise<void> {
    for (const { digest, isManifest } of lost) {
      const bytes = Buffer.from(model.source.get(digest) ?? expect.fail(`nobody has ${digest}`));
      if (isManifest) await store.blobs.put(digest, bytes, async () => []);
      else
        await store.blobs.write({ mediaType: 'application/octet-stream', digest, size: bytes.length }, opener(bytes));
    }
  }

  const collect = () =>
    doing(async (store) => {
      await collectStore(store, RETENTION);
    });

  const work: (() => Promise<unknown>)[] = [];
  for (let count = 1 + random(2); count > 0; count--) work.push(() => push(one(REPOSITORIES), one(TAGS)));
  if (random(20) === 0) work.push(() => push(one(REPOSITORIES), undefined));
  if (random(2) === 0) work.push(() => push(NIGHTLY, `n${day}`));
  if (random(12) === 0) work.push(pin);
  if (random(12) === 0) work.push(unpin);
  if (random(4) === 0) work.push(() => remove(one(REPOSITORIES), one(TAGS)));
  if (random(15) === 0) work.push(askByDigest);
  if (random(3) === 0) work.push(build);
  if (random(3) === 0) work.push(abandon);
  if (day % 7 === 6) work.push(rot);
  // Collections run beside all that.
  const collecting = (async () => {
    for (let count = 0; count < COLLECTIONS_A_DAY; count++) await collect();
  })();
  for (const step of work) await step();
  await collecting;
}

async function pushAll(
  store: RegistryStore,
  repository: string,
  image: Pushed,
  tag: string | undefined,
): Promise<void> {
  for (const child of image.children) await pushAll(store, repository, child, undefined);
  for (const { descriptor, bytes } of image.blobs) {
    if (await store.registry.statBlob(repository, descriptor.digest)) continue;
    if (await store.registry.mountBlob(repository, descriptor.digest)) continue;
    await using upload = await store.registry.openUpload(repository);
    await upload.append(chunked(bytes), { isLast: true });
    await upload.commit(descriptor.digest);
  }
  await store.registry.putManifest(repository, image.manifest, tag === undefined ? [] : [tag]);
}

/** Everything that has a name is there, whole; and there is no more than the names and the last three weeks account for. */
async function check(store: RegistryStore, model: Model, when: string): Promise<void> {
  const lost: string[] = [];
  for (const [key, image] of model.tags) {
    const [repository = '', tag = ''] = key.split(':');
    const found = await store.registry.statManifest(repository, tag);
    if (found?.digest !== image.manifest.digest) lost.push(`${key} is ${found?.digest}`);
    for (const part of await missingParts(store, repository, image)) lost.push(`${key}: ${part}`);
  }
  await noteNightly(store, model);
  for (const [tag, image] of keptNightly(model)) {
    if ((await store.registry.statManifest(NIGHTLY, tag))?.digest !== image.manifest.digest)
      lost.push(`nightly ${tag}`);
    for (const part of await missingParts(store, NIGHTLY, image)) lost.push(`nightly ${tag}: ${part}`);
  }
  for (const [key, image] of model.digests) {
    const [repository = ''] = key.split('@');
    for (const part of await missingParts(store, repository, image)) lost.push(`${key}: ${part}`);
  }
  for (const [tag, image] of model.built) {
    if ((await builtImages(store).find({ path: 'built', tag })) !== image.manifest.digest) lost.push(`built ${tag}`);
    for (const { descriptor } of image.blobs)
      if (!(await store.blobs.find(descriptor.digest))) lost.push(`built ${tag}: ${descriptor.digest}`);
  }
  expect(lost, when).toEqual([]);
  const named = [...namedBlobs(model).values()].reduce((sum, size) => sum + size, 0);
  const recent = model.written.slice(-21).reduce((sum, size) => sum + size, 0);
  let stored = 0;
  for await (const { size } of store.blobs.all()) stored += size;
  expect(stored, when).toBeLessThanOrEqual(named + recent);
}

/** Forgets the nightly tags that have gone, as they may; and learns of pins that a killed process has made. */
async function noteNightly({ objects, stripped }: RegistryStore, model: Model): Promise<void> {
  const kept = keptNightly(model);
  for (const tag of model.nightly.keys()) {
    if (!kept.has(tag) && !(await stripped.statManifest(NIGHTLY, tag))) model.nightly.delete(tag);
  }
  for (const tag of (await pinsIn(objects).of(NIGHTLY)).tags) if (model.nightly.has(tag)) model.pinned.add(tag);
}

async function missingParts(store: RegistryStore, repository: string, image: Pushed): Promise<readonly string[]> {
  const lost: string[] = [];
  try {
    await store.registry.getManifest(repository, image.manifest.digest);
  } catch (error) {
    if (!isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) throw error;
    lost.push(`manifest ${image.manifest.digest}`);
  }
  for (const { descriptor, bytes } of image.blobs) {
    const found = await store.registry.statBlob(repository, descriptor.digest);
    if (found?.size !== bytes.length) lost.push(`blob ${descriptor.digest}`);
  }
  for (const child of image.children) lost.push(...(await missingParts(store, repository, child)));
  return lost;
}

async function tagOf(disk: Day['disk'], repository: string, tag: string): Promise<Digest | undefined> {
  return (await registryStore(stagedStore(disk)).registry.statManifest(repository, tag))?.digest;
}

/** Of a push that was broken off: what came by digest, and stays. What came to get a tag goes after a week. */
async function leftBehind(disk: Day['disk'], repository: string, image: Pushed): Promise<readonly Pushed[]> {
  const { objects } = stagedStore(disk);
  if ((await linkedManifest(objects, repository, image.manifest.digest)) !== undefined) {
    return (await objects.stat(cameByTagKey(repository, image.manifest.digest))) ? [] : [image];
  }
  const left: Pushed[] = [];
  for (const child of image.children) left.push(...(await leftBehind(disk, repository, child)));
  return left;
}
