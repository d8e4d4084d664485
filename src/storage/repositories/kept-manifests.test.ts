// Manifests and blobs that were asked for before: given from memory, and never as they were before another process changed something.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Image, imageOf, pushImage } from '../../../test/contract/content.ts';
import { stagedStore } from '../drivers/staged-store.ts';
import { revisionLinkKey } from '../layout/registry-keys.ts';
import { openFsObjectStore } from '../object-store/fs-object-store.ts';
import { registryStore } from '../registry-store.ts';
import type { RegistryStore } from '../store.ts';
import { testDirectory } from '../testing/directories.ts';

const HOUR = 3600_000;
const one = imageOf('one');
const two = imageOf('two');

// A file is kept if it has not changed lately.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + HOUR }));
afterEach(() => void vi.useRealTimers());

/** A store in the directory, as a process has it: counts what it asks the directory for in the usual way. */
function processOn(directory: string) {
  const inner = openFsObjectStore(directory);
  const seen = { asked: 0 };
  const counted = <A extends readonly unknown[], R>(work: (...args: A) => R) => {
    return (...args: A) => {
      seen.asked++;
      return work(...args);
    };
  };
  const objects = { ...inner, get: counted(inner.get), stat: counted(inner.stat) };
  return { seen, store: registryStore(stagedStore(objects)) };
}

/** A process that has the manifest of `team/app:1` in memory, and another one. */
async function keeping(directory: string, image: Image = one) {
  const other = processOn(directory).store;
  await pushImage(other.registry, 'team/app', image, ['1']);
  const { store, seen } = processOn(directory);
  const get = async () => (await store.registry.getManifest('team/app', '1')).digest;
  await vi.waitFor(
    async () => {
      await get();
      expect(store.objects.kept?.(revisionLinkKey('team/app', image.manifest.digest))).toBeDefined();
    },
    { timeout: 60_000, interval: 10 },
  );
  await get();
  return { store, other, seen, get };
}

it('a manifest that was asked for before costs no more than looks that wait for nothing', async () => {
  await using directory = await testDirectory();
  const { store, seen, get } = await keeping(directory.path);
  const { bytes } = await store.registry.getManifest('team/app', '1');
  await askingNothing(seen, async () => {
    expect(await get()).toBe(one.manifest.digest);
    expect((await store.registry.getManifest('team/app', '1')).bytes).toBe(bytes);
  });
});

/** After a call that had to wait for the disk, the usual way is taken for a while. */
async function askingNothing(seen: { asked: number }, work: () => Promise<void>): Promise<void> {
  await vi.waitFor(
    async () => {
      seen.asked = 0;
      await work();
      expect(seen.asked).toBe(0);
    },
    { timeout: 60_000, interval: 100 },
  );
}

const CHANGES: Readonly<Record<string, (other: RegistryStore) => Promise<void>>> = {
  'moves the tag': (other) => pushImage(other.registry, 'team/app', two, ['1']),
  'deletes the tag': (other) => other.registry.deleteTag('team/app', '1'),
  'deletes the manifest': (other) => other.registry.deleteManifest('team/app', one.manifest.digest),
};

it.each(Object.entries(CHANGES))('the next request sees that another process %s', async (_, change) => {
  await using directory = await testDirectory();
  const { other, get } = await keeping(directory.path);
  expect(await get()).toBe(one.manifest.digest);
  await change(other);
  expect(await get().catch(() => 'gone')).toBe(
    await other.registry.getManifest('team/app', '1').then(
      ({ digest }) => digest,
      () => 'gone',
    ),
  );
});

it('a manifest in which another process has met damage is hashed before it is given again', async () => {
  await using directory = await testDirectory();
  const { store, other, get } = await keeping(directory.path);
  const { digest } = one.manifest;
  expect(store.blobs.kept?.(digest)).toBeDefined();
  await other.blobs.doubt(digest);
  expect(store.blobs.kept?.(digest)).toBeUndefined();
  expect(await get()).toBe(digest);
});

it('a small blob is given from memory, also a range of it, and not once its link has gone', async () => {
  await using directory = await testDirectory();
  const { store, other, seen } = await keeping(directory.path);
  const [blob] = one.layers;
  if (!blob) throw new Error('the image has no blob');
  const { digest, size } = blob.descriptor;
  const get = async (range = {}) =>
    Buffer.concat(await Array.fromAsync((await store.registry.getBlob('team/app', digest, range)).body));
  await get();
  await get();
  await askingNothing(seen, async () => expect(await get()).toEqual(Buffer.from(blob.bytes)));
  expect(await get({ from: 1 })).toEqual(Buffer.from(blob.bytes).subarray(1));
  expect(await get({ size, verify: true })).toEqual(Buffer.from(blob.bytes));
  await other.registry.deleteBlob('team/app', digest);
  await expect(get()).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
});
