// What a collection deletes, and what it keeps. That nothing is lost while others push, is in drivers/ (races) and in repositories/remove-unneeded.test.ts.
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { blobOf, bytesOf, type Image, imageOf, indexOf, opener, pushImage } from '../../../test/contract/content.ts';
import type { Digest } from '../../oci/digest.ts';
import { manifestDescriptor } from '../../oci/manifest.ts';
import { buildSteps } from '../builds/build-steps.ts';
import { builtImages } from '../builds/built-images.ts';
import { looseBlobs } from '../builds/loose-blobs.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../embedded-store.ts';
import { BLOBS, blobKey, layerLinkKey, revisionLinkKey, tagIndexLinkKey } from '../layout/registry-keys.ts';
import { lastCollected } from '../repositories/last-collection.ts';
import { mayCollectUnasked } from '../repositories/store-format.ts';
import { testDirectory } from '../testing/directories.ts';
import { collectStore } from './collect.ts';

const DAY = 24 * 3600 * 1000;

const one = imageOf('one');
const two = imageOf('two');
let directory: Awaited<ReturnType<typeof testDirectory>>;
let store: EmbeddedStore;

beforeEach(async () => {
  directory = await testDirectory();
  store = await openEmbeddedStore(directory.path);
});

afterEach(async () => {
  vi.useRealTimers();
  await directory[Symbol.asyncDispose]();
});

/** Lets days pass: the clock goes on, and files that were written "now" are of the time that it showed. */
async function pass(days: number): Promise<void> {
  const now = Date.now();
  await ageFiles(new Date(now));
  vi.useFakeTimers({ toFake: ['Date'], now: now + days * DAY });
}

async function ageFiles(now: Date): Promise<void> {
  for await (const { key, modified } of store.objects.list('')) {
    if (modified > now) continue;
    // A file with the machine's own time was written since the clock was set last.
    if (!aged.has(`${key} ${modified.getTime()}`)) await utimes(join(directory.path, key), now, now);
    aged.add(`${key} ${(await store.objects.stat(key))?.modified.getTime()}`);
  }
}
const aged = new Set<string>();

const isThere = async (digest: Digest) => (await store.blobs.find(digest)) !== undefined;
const digestsOf = ({ manifest, config, layers }: Image) => [
  manifest.digest,
  ...[config, ...layers].map(({ descriptor }) => descriptor.digest),
];
const allThere = async (image: Image) => (await Promise.all(digestsOf(image).map(isThere))).every(Boolean);
const noneThere = async (image: Image) => !(await Promise.all(digestsOf(image).map(isThere))).some(Boolean);
const push = (repository: string, image: Image, tags: readonly string[]) =>
  pushImage(store.registry, repository, image, tags);

describe('what stays', () => {
  it('is what a tag, a digest, a recorded name, an index or a subject means', async () => {
    const [child, named, signature] = [
      imageOf('child'),
      imageOf('named'),
      indexOf([], { subject: manifestDescriptor(one.manifest) }),
    ];
    await push('team/app', one, ['1']);
    await push('team/app', two, []);
    await push('team/app', child, []);
    await store.registry.putManifest('team/app', indexOf([child.manifest]), ['multi']);
    await store.registry.putManifest('team/app', signature, []);
    await push('team/named', named, ['1']);
    await store.names.set('quay.io', 'team/named', '1', named.manifest.digest);
    await store.stripped.deleteTag('team/named', '1');
    await pass(400);
    expect(await collectStore(store)).toMatchObject({ manifests: [], blobs: 0, bytes: 0 });
    for (const image of [one, two, child, named]) expect(await allThere(image)).toBe(true);
    expect(await Array.fromAsync(store.registry.referrers('team/app', one.manifest.digest))).toHaveLength(1);
  });

  it('is what was pushed within a day, and is named by nothing yet', async () => {
    const { descriptor, bytes } = blobOf(bytesOf('new', 3000));
    await store.registry.putBlob('team/app', descriptor, opener(bytes));
    expect(await collectStore(store)).toMatchObject({ blobs: 0, recent: { blobs: 1, bytes: 3000 } });
    await pass(0.9);
    expect(await collectStore(store)).toMatchObject({ blobs: 0 });
    await pass(0.2);
    expect(await collectStore(store)).toMatchObject({ blobs: 1, bytes: 3000 });
  });

  it('is what a client was told is there, however old it is', async () => {
    const { descriptor, bytes } = blobOf(bytesOf('old', 3000));
    await store.registry.putBlob('team/app', descriptor, opener(bytes));
    await pass(30);
    expect(await store.registry.statBlob('team/app', descriptor.digest)).toBeDefined();
    expect(await collectStore(store)).toMatchObject({ blobs: 0, recent: { blobs: 1 } });
  });

  it('is what docker-registry mounted today, which records no other use', async () => {
    const { descriptor, bytes } = blobOf(bytesOf('old', 3000));
    await store.registry.putBlob('team/app', descriptor, opener(bytes));
    await pass(30);
    await store.objects.put(layerLinkKey('team/other', descriptor.digest), Buffer.from(descriptor.digest));
    await utimes(join(directory.path, layerLinkKey('team/other', descriptor.digest)), new Date(), new Date());
    expect(await collectStore(store)).toMatchObject({ blobs: 0 });
  });

  it('is all that a repository has, if one of its manifests cannot be read', async () => {
    await push('team/app', one, ['1']);
    await store.objects.put(blobKey(one.manifest.digest), Buffer.from('damaged'));
    await pass(30);
    expect(await collectStore(store)).toMatchObject({ blobs: 0 });
    expect(await isThere(one.config.descriptor.digest)).toBe(true);
  });

  it.each(['emptied', 'lost'])('is what a manifest names whose link was %s: a check can mend it', async (how) => {
    await push('app', one, ['1']);
    const link = revisionLinkKey('app', one.manifest.digest);
    if (how === 'lost') await store.objects.delete([link]);
    else await store.objects.put(link, new Uint8Array());
    await pass(20);
    await collectStore(store);
    expect(await allThere(one)).toBe(true);
  });

  it('is what a manifest of an unknown kind names', async () => {
    await push('team/app', one, ['1']);
    const { digest } = one.manifest;
    const old = blobOf(
      Buffer.from(`{"schemaVersion":1,"fsLayers":[{"blobSum":"${one.layers[0]?.descriptor.digest}"}]}`),
    );
    await store.objects.put(blobKey(old.descriptor.digest), old.bytes);
    await store.objects.put(revisionLinkKey('team/old', old.descriptor.digest), Buffer.from(old.descriptor.digest));
    await store.registry.deleteManifest('team/app', digest);
    await pass(30);
    await collectStore(store);
    expect(await isThere(one.layers[0]?.descriptor.digest as Digest)).toBe(true);
    expect(await isThere(one.config.descriptor.digest)).toBe(false);
  });

  it('is an image that was built here; what build steps left goes after two weeks', async () => {
    const blobs = looseBlobs(store.blobs);
    for (const { descriptor, bytes } of [one.config, ...one.layers]) await blobs.put(descriptor, opener(bytes));
    await builtImages(store).record({ path: 'built', tag: '1' }, one.manifest);
    const step = blobOf(bytesOf('step', 2000));
    await blobs.put(step.descriptor, opener(step.bytes));
    await buildSteps(store.objects).put('ab12', Buffer.from(JSON.stringify({ layer: step.descriptor })));
    await pass(10);
    expect(await collectStore(store)).toMatchObject({ blobs: 0 });
    await pass(10);
    expect(await collectStore(store)).toMatchObject({ blobs: 1, bytes: 2000 });
    expect(await allThere(one)).toBe(true);
    expect(await buildSteps(store.objects).get('ab12')).toBeUndefined();
  });
});

describe('what goes', () => {
  it('is an image whose tag was moved a week ago, with its links', async () => {
    await push('team/app', one, ['latest']);
    await push('team/app', two, ['latest']);
    await pass(6);
    expect(await collectStore(store)).toMatchObject({ manifests: [], blobs: 0 });
    await pass(2);
    const { digest } = one.manifest;
    expect(await collectStore(store, { keepUntagged: true })).toMatchObject({ manifests: [], blobs: 0 });
    const planned = await collectStore(store, { dryRun: true });
    expect(await allThere(one)).toBe(true);
    const collected = await collectStore(store);
    expect(collected).toEqual(planned);
    const { mediaType } = one.manifest;
    expect(collected.manifests).toEqual([{ repository: 'team/app', digest, mediaType, tags: ['latest'] }]);
    expect(collected.blobs).toBe(4);
    expect(await noneThere(one)).toBe(true);
    expect(await allThere(two)).toBe(true);
    for (const layer of one.layers) {
      expect(await store.objects.stat(layerLinkKey('team/app', layer.descriptor.digest))).toBeUndefined();
    }
    expect(await store.objects.stat(tagIndexLinkKey('team/app', 'latest', digest))).toBeUndefined();
    expect(await collectStore(store)).toMatchObject({ manifests: [], blobs: 0 });
  });

  it('is an index with its images, when its tag was deleted', async () => {
    await push('team/app', one, []);
    await store.registry.putManifest('team/app', indexOf([one.manifest]), ['multi']);
    await store.registry.deleteTag('team/app', 'multi');
    await pass(8);
    await collectStore(store);
    expect(await noneThere(one)).toBe(true);
    expect(await Array.fromAsync(store.objects.list(BLOBS))).toEqual([]);
  });

  it('is not what somebody asks for by its digest after it lost its tag', async () => {
    await push('team/app', one, ['latest']);
    await push('team/app', two, ['latest']);
    await pass(1);
    await store.registry.getManifest('team/app', one.manifest.digest);
    await pass(100);
    await collectStore(store);
    expect(await allThere(one)).toBe(true);
  });

  it('is not what has a tag again', async () => {
    await push('team/app', one, ['latest']);
    await push('team/app', two, ['latest']);
    await push('team/app', one, ['old']);
    await pass(30);
    await collectStore(store);
    expect(await allThere(one)).toBe(true);
    await push('team/app', two, ['old']);
    await pass(3);
    await collectStore(store);
    expect(await allThere(one)).toBe(true);
    await pass(5);
    await collectStore(store);
    expect(await noneThere(one)).toBe(true);
  });

  it('can be pushed again', async () => {
    await push('team/app', one, ['1']);
    await store.registry.deleteTag('team/app', '1');
    await pass(8);
    await collectStore(store);
    await push('team/app', one, ['1']);
    expect(await allThere(one)).toBe(true);
    expect((await store.registry.statManifest('team/app', '1'))?.digest).toBe(one.manifest.digest);
  });
});

describe('a collection', () => {
  it('reaches the garbage that comes after many blobs which are protected', async () => {
    await push('team/broken', two, ['1']);
    await store.objects.put(blobKey(two.manifest.digest), Buffer.from('damaged'));
    for (let at = 0; at < 12; at++) {
      const { descriptor, bytes } = blobOf(Buffer.from(`protected ${at}`));
      await store.registry.putBlob('team/broken', descriptor, opener(bytes));
    }
    const loose = Array.from({ length: 6 }, (_, at) => blobOf(Buffer.from(`loose ${at}`)));
    for (const { descriptor, bytes } of loose) await looseBlobs(store.blobs).put(descriptor, opener(bytes));
    await pass(30);
    for (let round = 0; round < 3; round++) await collectStore(store, { most: 4 });
    expect(await Promise.all(loose.map(({ descriptor }) => isThere(descriptor.digest)))).not.toContain(true);
    expect(await collectStore(store, { most: 4 })).toMatchObject({ blobs: 0, isMore: false });
  });

  it('with dryRun writes nothing', async () => {
    await push('team/app', one, ['1']);
    await push('team/app', two, ['2']);
    // As docker-registry deletes a tag.
    await store.objects.deleteAll('docker/registry/v2/repositories/team/app/_manifests/tags/1/');
    const all = async () =>
      (await Array.fromAsync(store.objects.list(''))).map(({ key, version }) => `${key} ${version}`);
    const before = await all();
    await collectStore(store, { dryRun: true, olderThanMs: 0 });
    expect(await all()).toEqual(before);
  });
});

describe('a store', () => {
  it('may be collected by schedule if this program made it, or after it was collected once by hand', async () => {
    expect(await mayCollectUnasked(store.objects)).toBe(false);
    await push('team/app', one, ['1']);
    expect(await mayCollectUnasked(store.objects)).toBe(true);
    await store.objects.delete(['images/format']);
    store = await openEmbeddedStore(directory.path);
    await push('team/app', two, ['2']);
    expect(await mayCollectUnasked(store.objects)).toBe(false);
    expect(await lastCollected(store.objects)).toBeUndefined();
    await collectStore(store);
    expect(await mayCollectUnasked(store.objects)).toBe(true);
    expect(await lastCollected(store.objects)).toBeDefined();
  });
});
