// The cost of a manifest: the store's own limits bound the work, not the number of digests in the manifest.
import { expect, it } from 'vitest';
import { blobOf, manifestOf, opener } from '../../../test/contract/content.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { RawManifest } from '../../oci/manifest.ts';
import { OCI_MANIFEST } from '../../oci/media-types.ts';
import { memoryStore, stagedStore } from '../drivers/staged-store.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { storedRegistry } from './stored-registry.ts';

it('a blob that a manifest names a thousand times is looked at once', async () => {
  const { objects, seen } = counting(createMemoryObjectStore());
  const registry = storedRegistry(stagedStore(objects));
  const [layer] = await putBlobs(objects, 1);
  const before = seen.stats;
  await registry.putManifest('team/app', imageWith(new Array<Descriptor>(1000).fill(layer as Descriptor)), ['v1']);
  expect(seen.stats - before).toBeLessThan(20);
});

it('a manifest of a thousand blobs has few objects open at a time', async () => {
  const { objects, seen } = counting(createMemoryObjectStore());
  const registry = storedRegistry(stagedStore(objects));
  const layers = await putBlobs(objects, 1000);
  seen.most = 0;
  await registry.putManifest('team/app', imageWith(layers), ['v1']);
  expect(seen.most).toBeGreaterThan(1);
  expect(seen.most).toBeLessThan(32);
});

it('of a thousand missing blobs an error names some, and their number', async () => {
  const registry = storedRegistry(memoryStore());
  const layers = Array.from({ length: 1000 }, (_, at) => blobOf(Buffer.from(`missing ${at}`)).descriptor);
  const put = registry.putManifest('team/app', imageWith(layers), ['v1']);
  await expect(put).rejects.toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN' });
  await expect(put).rejects.toThrow(/^.{1,2000} and 990 more\]$/);
});

function imageWith(layers: readonly Descriptor[]): RawManifest {
  return manifestOf({ mediaType: OCI_MANIFEST, config: layers[0], layers });
}

async function putBlobs(objects: ObjectStore, count: number): Promise<readonly Descriptor[]> {
  const registry = storedRegistry(stagedStore(objects));
  const blobs = Array.from({ length: count }, (_, at) => blobOf(Buffer.from(`blob ${at}`)));
  for (const { descriptor, bytes } of blobs) await registry.putBlob('team/app', descriptor, opener(bytes));
  return blobs.map(({ descriptor }) => descriptor);
}

/** Counts accesses to objects, and how many ran at the same time. */
function counting(inner: ObjectStore): {
  readonly objects: ObjectStore;
  readonly seen: { stats: number; most: number };
} {
  const seen = { stats: 0, most: 0 };
  let running = 0;
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    seen.most = Math.max(seen.most, ++running);
    try {
      // Long enough for other accesses to begin.
      await new Promise((resolve) => setImmediate(resolve));
      return await work();
    } finally {
      running--;
    }
  };
  const objects: ObjectStore = {
    ...inner,
    get: (...args) => counted(() => inner.get(...args)),
    stat: (...args) => {
      seen.stats++;
      return counted(() => inner.stat(...args));
    },
  };
  return { objects, seen };
}
