// A blob in doubt: who notices it, and how it is confirmed or replaced.
import { describe, expect, it } from 'vitest';
import {
  blobOf,
  bytesOf,
  chunked,
  collect,
  imageOf,
  indexOf,
  opener,
  pushImage,
} from '../../../test/contract/content.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Registry } from '../../registry/contract.ts';
import { builtImages } from '../builds/built-images.ts';
import { looseBlobs } from '../builds/loose-blobs.ts';
import { BLOBS, blobKey, layerLinkKey, markKey } from '../layout/registry-keys.ts';
import { openFsObjectStore } from '../object-store/fs-object-store.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { storedRegistry } from '../repositories/stored-registry.ts';
import { testDirectory } from '../testing/directories.ts';
import { stagedStore } from './staged-store.ts';

const BLOB = blobOf(bytesOf('layer', 5000));
const { digest } = BLOB.descriptor;

/** A store that counts how often each blob is read. */
function counted(inner: ObjectStore) {
  const reads = new Map<string, number>();
  const objects: ObjectStore = {
    ...inner,
    get: (key, range) => {
      reads.set(key, (reads.get(key) ?? 0) + 1);
      return inner.get(key, range);
    },
  };
  return { objects, readsOf: (one: Digest) => reads.get(blobKey(one)) ?? 0 };
}

async function build(objects: ObjectStore): Promise<void> {
  await using blob = await looseBlobs(stagedStore(objects).blobs).start();
  await blob.append(Buffer.from(BLOB.bytes));
  await blob.finish(digest);
}

async function upload(registry: Registry, repository: string): Promise<void> {
  await using upload = await registry.openUpload(repository);
  await upload.append(chunked(BLOB.bytes));
  await upload.commit(digest);
}

const put = (registry: Registry, repository: string, asked?: number[]) =>
  registry.putBlob(repository, BLOB.descriptor, opener(BLOB.bytes, asked));

/** Inverts one bit; the size stays. */
async function damage(objects: ObjectStore, one: Digest = digest): Promise<void> {
  const bytes = await collect((await objects.get(blobKey(one))) ?? chunked(Buffer.alloc(0)));
  const at = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await objects.put(blobKey(one), bytes);
}

async function marks(objects: ObjectStore): Promise<readonly string[]> {
  const keys = (await Array.fromAsync(objects.list(BLOBS))).map(({ key }) => key);
  return keys.filter((key) => !key.endsWith('/data'));
}

/** A restart of the machine: marks have another boot id, or a power cut has emptied them. */
async function reboot(objects: ObjectStore, mark = '11111111-2222-4333-8444-555555555555'): Promise<void> {
  for (const key of await marks(objects)) await objects.put(key, Buffer.from(mark));
}

async function contentIn(registry: Registry, repository: string): Promise<Buffer> {
  return collect((await registry.getBlob(repository, digest)).body);
}

describe.each(['memory', 'a directory'])('a blob in %s', (driver) => {
  async function newStore() {
    const directory = await testDirectory();
    const { objects, readsOf } = counted(
      driver === 'memory' ? createMemoryObjectStore() : openFsObjectStore(directory.path),
    );
    const store = stagedStore(objects);
    const registry = storedRegistry(store);
    const blobs = looseBlobs(store.blobs);
    return { objects, readsOf, registry, blobs, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
  }

  it('that was built is there, but in no repository; one that links it makes it durable', async () => {
    await using store = await newStore();
    await build(store.objects);
    expect(await store.blobs.has(BLOB.descriptor)).toBe(true);
    expect(await store.registry.statBlob('a/b', digest)).toBeUndefined();
    expect(await store.objects.stat(markKey(digest))).toBeDefined();
    expect(await store.registry.mountBlob('a/b', digest)).toBe(true);
    expect(await store.objects.stat(markKey(digest))).toBeUndefined();
    expect((await store.registry.statBlob('a/b', digest))?.size).toBe(BLOB.bytes.length);
  });

  it('that was named by a process which was killed then is made durable by whoever links it', async () => {
    await using store = await newStore();
    await using stage = await store.objects.stage('killed');
    await stage?.append(Buffer.from(BLOB.bytes));
    await stage?.publish(blobKey(digest), { durable: 'bytes' });
    const synced: string[] = [];
    const sync: ObjectStore['sync'] = async (keys, options) => {
      for (const key of keys) synced.push(key);
      await store.objects.sync(keys, options);
    };
    expect(await storedRegistry(stagedStore({ ...store.objects, sync })).mountBlob('a/b', digest)).toBe(true);
    expect(synced).toEqual([blobKey(digest), layerLinkKey('a/b', digest)]);
  });

  it('whose build is given up leaves nothing', async () => {
    await using store = await newStore();
    {
      await using blob = await store.blobs.start();
      await blob.append(Buffer.from('half'));
    }
    expect(await Array.fromAsync(store.objects.list(''))).toEqual([]);
  });

  it.each([
    ['put', (registry: Registry) => put(registry, 'team/app')],
    ['mounted', (registry: Registry) => registry.mountBlob('team/app', digest)],
    ['uploaded', (registry: Registry) => upload(registry, 'team/app')],
  ])('that was built and then %s is there after a reboot', async (_, into) => {
    await using store = await newStore();
    await build(store.objects);
    await into(store.registry);
    await build(store.objects);
    await reboot(store.objects);
    expect(await store.registry.mountBlob('other/app', digest, 'team/app')).toBe(true);
    expect(await contentIn(store.registry, 'team/app')).toEqual(BLOB.bytes);
  });

  it.each(['another boot', ''])(
    'that is whole after a reboot is hashed once, and then believed (mark [%s])',
    async (mark) => {
      await using store = await newStore();
      await build(store.objects);
      await reboot(store.objects, mark);
      expect(await Promise.all([1, 2, 3].map(() => store.blobs.has(BLOB.descriptor)))).toEqual([true, true, true]);
      expect(store.readsOf(digest)).toBe(1);
      expect(await store.registry.mountBlob('a/b', digest)).toBe(true);
      expect(store.readsOf(digest)).toBe(1);
    },
  );

  it('that is damaged after a reboot counts as absent, is hashed once, stays where it is, and is put again', async () => {
    await using store = await newStore();
    await build(store.objects);
    await damage(store.objects);
    const before = store.readsOf(digest);
    await reboot(store.objects);
    expect(await store.blobs.has(BLOB.descriptor)).toBe(false);
    expect(await store.registry.mountBlob('a/b', digest)).toBe(false);
    expect(await store.registry.partialBytes(digest)).toBe(0);
    expect(store.readsOf(digest)).toBe(before + 1);
    expect(await store.objects.stat(blobKey(digest))).toBeDefined();
    const asked: number[] = [];
    await put(store.registry, 'a/b', asked);
    expect(asked).toEqual([0]);
    expect(await contentIn(store.registry, 'a/b')).toEqual(BLOB.bytes);
    expect(await store.blobs.has(BLOB.descriptor)).toBe(true);
  });

  it.each([
    ['an upload', (_: ObjectStore, registry: Registry) => upload(registry, 'a/b')],
    ['a build', (objects: ObjectStore) => build(objects)],
  ])('whose damage nobody knows is repaired by %s that brings the bytes', async (_, bring) => {
    await using store = await newStore();
    await put(store.registry, 'a/b');
    await damage(store.objects);
    await bring(store.objects, store.registry);
    expect(await contentIn(store.registry, 'a/b')).toEqual(BLOB.bytes);
    await reboot(store.objects);
    expect(await contentIn(store.registry, 'a/b')).toEqual(BLOB.bytes);
  });

  it('in which a reader met wrong bytes counts as absent, and is requested again', async () => {
    await using store = await newStore();
    await put(store.registry, 'a/b');
    await put(store.registry, 'c/d');
    await damage(store.objects);
    const { body } = await store.registry.getBlob('a/b', digest, { verify: true });
    await expect(collect(body)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    expect(await store.registry.statBlob('c/d', digest)).toBeUndefined();
    await expect(store.registry.getBlob('a/b', digest)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
    expect(await store.registry.mountBlob('e/f', digest, 'a/b')).toBe(false);
    const asked: number[] = [];
    await put(store.registry, 'a/b', asked);
    expect(asked).toEqual([0]);
    expect(await contentIn(store.registry, 'c/d')).toEqual(BLOB.bytes);
  });

  it('makes the images that have it no longer whole once it is known to be damaged, and no others', async () => {
    await using store = await newStore();
    const [one, other] = [imageOf('one'), imageOf('other')];
    await pushImage(store.registry, 'a/b', one, ['one']);
    await store.registry.putManifest('a/b', indexOf([one.manifest]), ['index']);
    await pushImage(store.registry, 'a/b', other, ['other']);
    const damaged = one.layers[0]?.descriptor.digest as Digest;
    const isWhole = async (tag: string) =>
      (await store.registry.statManifest('a/b', tag, { whole: true })) !== undefined;
    await damage(store.objects, damaged);
    expect([await isWhole('one'), await isWhole('index')]).toEqual([true, true]);
    const { body } = await store.registry.getBlob('a/b', damaged, { verify: true });
    await expect(collect(body)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    expect([await isWhole('one'), await isWhole('index'), await isWhole('other')]).toEqual([false, false, true]);
  });

  it('that is doubted without reason stays', async () => {
    await using store = await newStore();
    await put(store.registry, 'a/b');
    await store.objects.put(markKey(digest), Buffer.from('damaged another-version'));
    expect(await store.registry.statBlob('a/b', digest)).toBeDefined();
    expect(await store.objects.stat(markKey(digest))).toBeUndefined();
  });

  it('that was built does not replace a durable one', async () => {
    await using store = await newStore();
    await put(store.registry, 'a/b');
    const version = (await store.objects.stat(blobKey(digest)))?.version;
    await build(store.objects);
    expect((await store.objects.stat(blobKey(digest)))?.version).toBe(version);
    expect(await store.objects.stat(markKey(digest))).toBeUndefined();
  });

  it('that a build reads verifies itself', async () => {
    await using store = await newStore();
    await build(store.objects);
    await damage(store.objects);
    await expect(collect(await store.blobs.read(BLOB.descriptor))).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    expect(await store.blobs.has(BLOB.descriptor)).toBe(false);
  });

  it('that is a damaged manifest is absent for HEAD once it was asked for, and can be pushed again', async () => {
    await using store = await newStore();
    const image = imageOf('m');
    await pushImage(store.registry, 'a/b', image, ['1']);
    const text = image.manifest.bytes.toString().replace('"schemaVersion":2', '"schemaVersion":3');
    await store.objects.put(blobKey(image.manifest.digest), Buffer.from(text));
    await expect(store.registry.getManifest('a/b', '1')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    expect(await store.registry.statManifest('a/b', '1')).toBeUndefined();
    await pushImage(store.registry, 'a/b', image, ['1']);
    expect((await store.registry.statManifest('a/b', '1'))?.digest).toBe(image.manifest.digest);
    expect((await store.registry.getManifest('a/b', '1')).bytes).toEqual(image.manifest.bytes);
    expect(await marks(store.objects)).toEqual([]);
  });

  it('that is a manifest is not written anew by a build of the image that was pushed', async () => {
    await using store = await newStore();
    const image = imageOf('m');
    await pushImage(store.registry, 'a/b', image, ['1']);
    const version = (await store.objects.stat(blobKey(image.manifest.digest)))?.version;
    await builtImages(stagedStore(store.objects)).record({ path: 'app', tag: '1' }, image.manifest);
    const after = await store.objects.stat(blobKey(image.manifest.digest));
    expect(after?.version.split('-')[0]).toBe(version?.split('-')[0]);
  });
});
