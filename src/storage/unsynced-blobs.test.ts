import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { blobKey, unsyncedKey } from './layout.ts';
import { looseBlobs } from './loose-blobs.ts';
import { createMemoryObjectStore } from './memory-object-store.ts';
import { storedRegistry } from './stored-registry.ts';

const BYTES = Buffer.from('a layer');
const BLOB = { mediaType: 'x', digest: digestOf(BYTES), size: BYTES.length };

async function built() {
  const objects = createMemoryObjectStore();
  const blobs = looseBlobs(objects);
  await using blob = await blobs.start();
  await blob.append(Buffer.from(BYTES));
  await blob.finish(BLOB.digest);
  return { objects, blobs, registry: storedRegistry(objects) };
}

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(BYTES);
}

describe('a blob that was built', () => {
  it('is there, but in no repository, until one links it; then it is durable', async () => {
    const { objects, blobs, registry } = await built();
    expect(await blobs.has(BLOB)).toBe(true);
    expect(await registry.statBlob('a/b', BLOB.digest)).toBeUndefined();
    expect(await objects.stat(unsyncedKey(BLOB.digest))).toBeDefined();
    expect(await registry.mountBlob('a/b', BLOB.digest)).toBe(true);
    expect(await objects.stat(unsyncedKey(BLOB.digest))).toBeUndefined();
    expect((await registry.statBlob('a/b', BLOB.digest))?.size).toBe(BLOB.size);
  });

  it('counts as absent when the machine has gone down meanwhile', async () => {
    const { objects, blobs, registry } = await built();
    await objects.put(unsyncedKey(BLOB.digest), Buffer.from('another boot'));
    expect(await blobs.has(BLOB)).toBe(false);
    expect(await objects.stat(blobKey(BLOB.digest))).toBeUndefined();
    await registry.putBlob('a/b', BLOB, async () => bytes());
    expect(await blobs.has(BLOB)).toBe(true);
  });

  it('is not linked then, but asked for again', async () => {
    const { objects, registry } = await built();
    // A power cut empties what was not synced, marks as well.
    await objects.put(unsyncedKey(BLOB.digest), new Uint8Array());
    expect(await registry.mountBlob('a/b', BLOB.digest)).toBe(false);
    let opened = 0;
    await registry.putBlob('a/b', BLOB, async () => {
      opened++;
      return bytes();
    });
    expect(opened).toBe(1);
  });

  it('that is given up leaves nothing', async () => {
    const objects = createMemoryObjectStore();
    {
      await using blob = await looseBlobs(objects).start();
      await blob.append(Buffer.from('half'));
    }
    expect(await objects.children('')).toEqual([]);
  });
});
