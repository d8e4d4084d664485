// What a check finds, what that costs, and what mends it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blobOf, bytesOf, collect, imageOf, indexOf, opener, pushImage } from '../../../test/contract/content.ts';
import type { Digest } from '../../oci/digest.ts';
import { manifestDescriptor } from '../../oci/manifest.ts';
import { builtImages } from '../builds/built-images.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../embedded-store.ts';
import { builtKey, nameKey, referrerKey } from '../layout/image-keys.ts';
import { blobKey, layerLinkKey, revisionLinkKey, tagIndexLinkKey, tagLinkKey } from '../layout/registry-keys.ts';
import { testDirectory } from '../testing/directories.ts';
import { readLastCheck } from './check-record.ts';
import { type CheckEvent, checkStore } from './check-store.ts';
import { incompleteImages } from './findings.ts';
import { mendLink } from './mend-links.ts';

const one = imageOf('one');
const two = imageOf('two');
const [layer] = one.layers as [(typeof one.layers)[number]];
const { digest } = layer.descriptor;
let directory: Awaited<ReturnType<typeof testDirectory>>;
let store: EmbeddedStore;

beforeEach(async () => {
  directory = await testDirectory();
  store = await openEmbeddedStore(directory.path);
  await pushImage(store.registry, 'team/app', one, ['1']);
});
afterEach(() => directory[Symbol.asyncDispose]());

const check = (options = {}) => checkStore(store, { youngMs: -60_000, betweenMs: 1, ...options });
const zero = (key: string) => store.objects.put(key, new Uint8Array());
async function damage(blob: Digest): Promise<void> {
  const size = (await store.blobs.find(blob))?.size ?? 0;
  await store.objects.put(blobKey(blob), bytesOf('damage', size));
}
/** Mends what needs no other registry. Returns what a second check finds. */
async function mended() {
  for (const finding of (await check()).findings) await mendLink(store, finding);
  return (await check()).findings;
}

it('a store that is whole has no findings; all its blobs were hashed, and that is remembered', async () => {
  await pushImage(store.registry, 'team/other', two, ['1', '2']);
  await store.registry.putManifest('team/app', indexOf([one.manifest]), ['multi']);
  await store.registry.putManifest('team/app', indexOf([], { subject: manifestDescriptor(one.manifest) }), []);
  await store.names.set('quay.io', 'team/app', '1', one.manifest.digest);
  const all = await Array.fromAsync(store.blobs.all());
  const bytes = all.reduce((sum, { size }) => sum + size, 0);
  expect(await check()).toEqual({ findings: [], lost: [], isMore: false, blobs: all.length, bytes });
  expect(await readLastCheck(store.objects)).toMatchObject({ by: 'asked', blobs: all.length, bytes, images: 0 });
});

describe('a blob', () => {
  it('that is damaged is found, with the images that need it, and is served no more', async () => {
    await store.registry.putManifest('team/app', indexOf([one.manifest]), ['multi']);
    await pushImage(store.registry, 'team/untagged', one, []);
    await damage(digest);
    const found = await check();
    const images = ['team/app:1', 'team/app:multi', `team/untagged@${one.manifest.digest}`];
    expect(found.findings).toEqual([{ kind: 'damaged-blob', where: blobKey(digest), digest, mend: 'fetch', images }]);
    expect(found.lost).toEqual([
      { digest, size: layer.bytes.length, isManifest: false, repositories: ['team/app', 'team/untagged'], images },
    ]);
    expect(incompleteImages(found)).toEqual(images);
    await expect(store.registry.getBlob('team/app', digest)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
  });

  it.each([
    ['layer', digest, false],
    ['config', one.config.descriptor.digest, false],
    ['manifest', one.manifest.digest, true],
  ])('that is gone, a %s, is missing', async (_, gone, isManifest) => {
    await store.objects.delete([blobKey(gone)]);
    const found = await check();
    expect(found.findings).toMatchObject([
      { kind: 'missing-blob', digest: gone, mend: 'fetch', images: ['team/app:1'] },
    ]);
    expect(found.lost).toMatchObject([{ digest: gone, isManifest, repositories: ['team/app'] }]);
  });

  it('that is damaged and needed by nothing costs no image', async () => {
    const { descriptor, bytes } = blobOf(bytesOf('left', 5000));
    await store.registry.putBlob('team/app', descriptor, opener(bytes));
    await damage(descriptor.digest);
    const found = await check();
    expect(found.findings).toMatchObject([{ kind: 'damaged-blob', mend: 'none', images: [] }]);
    expect(incompleteImages(found)).toEqual([]);
  });

  it('of an image that was built here cannot be fetched', async () => {
    const blobs = [two.config, ...two.layers];
    for (const blob of blobs) await store.blobs.write(blob.descriptor, opener(blob.bytes));
    await builtImages(store).record({ path: 'app', tag: '1' }, two.manifest);
    expect((await check()).findings).toEqual([]);
    await damage(two.config.descriptor.digest);
    const images = ['docker.io/library/app:1 (built here)'];
    expect((await check()).findings).toMatchObject([{ kind: 'damaged-blob', mend: 'none', images }]);
  });
});

describe('a link', () => {
  it.each([
    ['layer', layerLinkKey('team/app', digest), digest, ['team/app:1']],
    ['manifest', revisionLinkKey('team/app', one.manifest.digest), one.manifest.digest, ['team/app:1']],
    ['former tag', tagIndexLinkKey('team/app', '1', one.manifest.digest), one.manifest.digest, []],
  ])('to a %s that is empty or garbled is written anew', async (_, where, says, images) => {
    for (const bytes of [new Uint8Array(), bytesOf('garbled', 71)]) {
      await store.objects.put(where, bytes);
      expect((await check()).findings).toEqual([{ kind: 'garbled-link', where, digest: says, mend: 'write', images }]);
      expect(await mended()).toEqual([]);
    }
    expect(await collect((await store.registry.getBlob('team/app', digest)).body)).toEqual(layer.bytes);
    expect((await store.registry.getManifest('team/app', '1')).digest).toBe(one.manifest.digest);
  });

  it.each([
    ['layer', layerLinkKey('team/app', digest)],
    ['manifest', revisionLinkKey('team/app', one.manifest.digest)],
  ])('to a %s that is gone is written anew', async (_, where) => {
    await store.objects.delete([where]);
    expect((await check()).findings).toMatchObject([{ kind: 'missing-link', where, images: ['team/app:1'] }]);
    expect(await mended()).toEqual([]);
  });

  it('to a blob that is gone and needed by nothing is deleted, unless it is young', async () => {
    const { descriptor, bytes } = blobOf(bytesOf('left', 5000));
    await store.registry.putBlob('team/app', descriptor, opener(bytes));
    await store.objects.delete([blobKey(descriptor.digest)]);
    expect((await checkStore(store, { betweenMs: 1 })).findings).toEqual([]);
    const where = layerLinkKey('team/app', descriptor.digest);
    expect((await check()).findings).toMatchObject([{ kind: 'stale-link', where, mend: 'delete', images: [] }]);
    expect(await mended()).toEqual([]);
    expect(await store.objects.stat(where)).toBeUndefined();
  });
});

describe('a tag that is empty', () => {
  const where = tagLinkKey('team/app', '1');

  it('points again to the only digest that it ever had', async () => {
    await zero(where);
    const wanted = { kind: 'garbled-tag', where, digest: one.manifest.digest, mend: 'write', images: ['team/app:1'] };
    expect((await check()).findings).toEqual([wanted]);
    expect(await mended()).toEqual([]);
    expect((await store.registry.getManifest('team/app', '1')).digest).toBe(one.manifest.digest);
  });

  it('and had several digests cannot be mended, unless a recorded full name says which is the right one', async () => {
    await pushImage(store.registry, 'team/app', two, ['1']);
    await zero(where);
    expect((await check()).findings).toEqual([{ kind: 'garbled-tag', where, mend: 'none', images: ['team/app:1'] }]);
    await store.names.set('quay.io', 'team/app', '1', two.manifest.digest);
    expect(await mended()).toEqual([]);
    expect((await store.registry.getManifest('team/app', '1')).digest).toBe(two.manifest.digest);
  });
});

describe('a record', () => {
  const signature = indexOf([], { subject: manifestDescriptor(one.manifest) });
  const record = referrerKey('team/app', one.manifest.digest, signature.digest);
  const listed = () => Array.fromAsync(store.registry.referrers('team/app', one.manifest.digest));

  it('of a full name whose image is gone, or which is garbled, is deleted', async () => {
    await store.names.set('quay.io', 'team/app', '1', two.manifest.digest);
    await store.names.set('quay.io', 'team/app', '2', one.manifest.digest);
    await zero(nameKey('quay.io', 'team/app', '2'));
    expect((await check()).findings.map(({ kind }) => kind)).toEqual(['stale-record', 'stale-record']);
    expect(await mended()).toEqual([]);
    expect(await Array.fromAsync(store.names.all())).toEqual([]);
  });

  it('of a referrer that is gone is deleted; one that is garbled or missing is written anew', async () => {
    await store.registry.putManifest('team/app', signature, []);
    for (const spoil of [() => zero(record), () => store.objects.delete([record])]) {
      await spoil();
      expect((await check()).findings).toMatchObject([{ kind: 'missing-record', where: record, images: [] }]);
      expect(await mended()).toEqual([]);
      expect(await listed()).toMatchObject([{ digest: signature.digest }]);
    }
    await store.objects.delete([revisionLinkKey('team/app', signature.digest)]);
    expect((await check()).findings).toMatchObject([{ kind: 'stale-record', where: record }]);
    expect(await mended()).toEqual([]);
    expect(await listed()).toEqual([]);
  });

  it('of an image that was built here is deleted if it is empty', async () => {
    await zero(builtKey('docker.io', 'library/app', '1'));
    expect((await check()).findings).toMatchObject([{ kind: 'stale-record', mend: 'delete' }]);
    expect(await mended()).toEqual([]);
  });
});

describe('a check that was ended', () => {
  /** Ends the check when it has met so many blobs. */
  async function ended(after: number, options = {}): Promise<number> {
    let blobs = 0;
    const onEvent = (event: CheckEvent) => {
      if (event.type === 'blobs') blobs += 1;
    };
    const ending = new AbortController();
    const stopping = (event: CheckEvent) => {
      onEvent(event);
      if (blobs > after) ending.abort(new Error('enough'));
    };
    await check({ onEvent: stopping, signal: ending.signal, ...options }).catch((error: unknown) => {
      if ((error as Error).message !== 'enough') throw error;
    });
    return blobs;
  }

  it('goes on where it was, and still tells of damage that it found before', async () => {
    for (let at = 0; at < 20; at++) {
      const { descriptor, bytes } = blobOf(bytesOf(`blob ${at}`, 500));
      await store.registry.putBlob('team/app', descriptor, opener(bytes));
    }
    const all = await Array.fromAsync(store.blobs.all());
    await damage(all[0]?.digest as Digest);
    await ended(all.length / 2);
    let hashed = 0;
    const resumed: CheckEvent[] = [];
    const onEvent = (event: CheckEvent) => {
      if (event.type === 'blobs') hashed += 1;
      if (event.type === 'resumed') resumed.push(event);
    };
    const found = await check({ onEvent });
    expect(resumed).toHaveLength(1);
    expect(hashed).toBeLessThan(all.length * 0.75);
    expect(found.blobs).toBe(all.length);
    expect(found.findings.map((finding) => finding.digest)).toContain(all[0]?.digest);
    await check({ onEvent });
    expect(resumed).toHaveLength(1);
  });

  it('begins anew if that is asked for, or if it was of another origin', async () => {
    await ended(2);
    const resumed: CheckEvent[] = [];
    const onEvent = (event: CheckEvent) => event.type === 'resumed' && resumed.push(event);
    await check({ onEvent, origin: 'scheduled' });
    await check({ onEvent, restart: true });
    expect(resumed).toEqual([]);
  });
});

it('a check of some images looks at no others, and is not remembered', async () => {
  await pushImage(store.registry, 'team/other', two, ['1']);
  await damage(digest);
  await damage(two.config.descriptor.digest);
  const digests = new Set([
    two.manifest.digest,
    ...[two.config, ...two.layers].map(({ descriptor }) => descriptor.digest),
  ]);
  const found = await check({ only: { digests, repositories: ['team/other'] } });
  expect(found.findings).toMatchObject([{ kind: 'damaged-blob', images: ['team/other:1'] }]);
  expect(found.blobs).toBe(digests.size);
  expect(await readLastCheck(store.objects)).toBeUndefined();
});
