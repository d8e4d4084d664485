// A year of a registry's life: pushes, moved and deleted tags, pulls by digest, builds, uploads that nobody ends, daily collections, and processes that are
// killed in the middle. Nothing that has a name is lost, and the space stays what the names and the last weeks need. A day takes ten milliseconds of a
// processor, and days cannot be left out: what a collection may delete depends on those before. So each run has sixty days, twice as many as anything is
// kept without a name; `npm run soak` has whole years, and more names and collections.
import { afterEach, expect, it, vi } from 'vitest';
import { type Blob, blobOf, bytesOf, chunked, indexOf, manifestOf, opener } from '../../../test/contract/content.ts';
import { rounds, timeFor } from '../../../test/testing/soak.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import type { RawManifest } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../../oci/media-types.ts';
import { builtImages } from '../builds/built-images.ts';
import { looseBlobs } from '../builds/loose-blobs.ts';
import { stagedStore } from '../drivers/staged-store.ts';
import { cameByTagKey } from '../layout/image-keys.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import { registryStore } from '../registry-store.ts';
import { linkedManifest } from '../repositories/list-manifests.ts';
import { withUnneeded } from '../repositories/remove-name.ts';
import type { RegistryStore } from '../store.ts';
import { killable, wasKilled } from '../testing/killable.ts';
import { collectStore } from './collect.ts';

const DAY = 24 * 3600 * 1000;
const isSoak = rounds(1) > 1;
const REPOSITORIES = isSoak ? ['team/app', 'team/web', 'base', 'tools/a', 'tools/b'] : ['team/app', 'base'];
const TAGS = isSoak ? ['latest', 'v1', 'v2', 'test'] : ['latest', 'v1'];
const COLLECTIONS_A_DAY = isSoak ? 2 : 1;
const DAYS = isSoak ? 365 : 60;

afterEach(() => {
  vi.useRealTimers();
});

/** An image as its pusher has it; an index has children. */
interface Pushed {
  readonly manifest: RawManifest;
  readonly blobs: readonly Blob[];
  readonly children: readonly Pushed[];
}

/** What everybody relies on. */
interface Model {
  /** By `REPOSITORY:TAG`. */
  readonly tags: Map<string, Pushed>;
  /** Pushed, or asked for, by digest; by `REPOSITORY@DIGEST`. */
  readonly digests: Map<string, Pushed>;
  readonly built: Map<string, Pushed>;
  /** What pushes that were broken off left: nobody relies on it, and it may stay. */
  readonly leftovers: Pushed[];
  /** What was written, by day, in bytes. */
  readonly written: number[];
}

it(`${DAYS} days of pushes, collections and crashes lose nothing that has a name, in bounded space`, {
  timeout: timeFor(120_000),
}, async () => {
  for (let seed = 1; seed <= rounds(1); seed++) await live(seed, DAYS);
});

async function live(seed: number, days: number): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-01-01T00:00:00Z') });
  const random = randomFrom(seed);
  const disk = createMemoryObjectStore();
  const model: Model = { tags: new Map(), digests: new Map(), built: new Map(), leftovers: [], written: [] };
  for (let day = 0; day < days; day++) {
    model.written.push(0);
    await liveDay({ day, seed, random, disk, model });
    vi.setSystemTime(Date.now() + DAY);
    if (day % 10 === 9 || day === days - 1)
      await check(registryStore(stagedStore(disk)), model, `seed ${seed}, day ${day}`);
  }
  // A quiet month later only what has a name is left.
  for (let day = 0; day < 30; day++) {
    await collectStore(registryStore(stagedStore(disk)));
    vi.setSystemTime(Date.now() + DAY);
  }
  const left = registryStore(stagedStore(disk));
  await check(left, model, `seed ${seed}, after a quiet month`);
  const named = namedBlobs(model);
  const stored = (await Array.fromAsync(left.blobs.all())).map(({ digest }) => digest);
  expect(stored.filter((digest) => !named.has(digest))).toEqual([]);
  expect(await Array.fromAsync(left.objects.list('images/aside/'))).toEqual([]);
  expect(await Array.fromAsync(left.objects.list('images/used/'))).toEqual([]);
}

interface Day {
  readonly day: number;
  readonly seed: number;
  readonly random: (below: number) => number;
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
    const key = tag === undefined ? `${repository}@${image.manifest.digest}` : `${repository}:${tag}`;
    const isDone = await doing((store) => pushAll(store, repository, image, tag));
    model.written[day] = (model.written[day] ?? 0) + sizeOf(image);
    const names = tag === undefined ? model.digests : model.tags;
    if (isDone) names.set(key, image);
    // It may have been acknowledged to nobody, and be there all the same.
    else if (tag !== undefined && (await tagOf(disk, repository, tag)) === image.manifest.digest) names.set(key, image);
    else model.leftovers.push(...(await leftBehind(disk, repository, image)));
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

  const collect = () =>
    doing(async (store) => {
      await collectStore(store);
    });

  const work: (() => Promise<unknown>)[] = [];
  for (let count = 1 + random(2); count > 0; count--) work.push(() => push(one(REPOSITORIES), one(TAGS)));
  if (random(20) === 0) work.push(() => push(one(REPOSITORIES), undefined));
  if (random(4) === 0) work.push(() => remove(one(REPOSITORIES), one(TAGS)));
  if (random(15) === 0) work.push(askByDigest);
  if (random(3) === 0) work.push(build);
  if (random(3) === 0) work.push(abandon);
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

function namedBlobs({ tags, digests, built, leftovers }: Model): ReadonlyMap<Digest, number> {
  const sizes = new Map<Digest, number>();
  const add = ({ manifest, blobs, children }: Pushed) => {
    sizes.set(manifest.digest, manifest.bytes.length);
    for (const { descriptor } of blobs) sizes.set(descriptor.digest, descriptor.size);
    for (const child of children) add(child);
  };
  for (const names of [tags, digests, built]) for (const image of names.values()) add(image);
  for (const image of leftovers) add(image);
  return sizes;
}

function sizeOf({ manifest, blobs, children }: Pushed): number {
  const own = manifest.bytes.length + blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return children.reduce((sum, child) => sum + sizeOf(child), own);
}

/** Layers are shared: some come again and again, some only for weeks. */
function newImage(name: string, random: Day['random']): Pushed {
  const layers = [
    blobOf(bytesOf(`shared ${random(6)}`, 2000)),
    blobOf(bytesOf(`layer ${random(40)}`, 1500)),
    blobOf(bytesOf(name, 1000)),
  ];
  const config = blobOf(Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', name })), OCI_CONFIG);
  const manifest = manifestOf({
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  return { manifest, blobs: [config, ...layers], children: [] };
}

function newIndex(name: string, random: Day['random']): Pushed {
  const children = [newImage(`${name} a`, random), newImage(`${name} b`, random)];
  return { manifest: indexOf(children.map(({ manifest }) => manifest)), blobs: [], children };
}

/** Numbers from 0; the same for the same seed (a linear congruential generator, by Numerical Recipes). */
function randomFrom(seed: number): Day['random'] {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
