// The contract of Blobs: collecting what nobody uses.
import { expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { type Blobs, KEPT_MS, type StoredBlob, USE_STEP_MS } from '../../../src/storage/blobs.ts';
import { type Blob, blobOf, bytesOf, opener } from '../content.ts';
import { BLOB, built, committed, contentOf, digest, type MakeBlobs, nothing, OTHER, written } from './suite.ts';

export function collecting(make: MakeBlobs): void {
  async function seenOld(options: { readonly blob?: Blob } = {}) {
    const store = await written(make, options.blob ?? BLOB);
    await store.age(KEPT_MS + 1000);
    return { ...store, seen: await Array.fromAsync(store.blobs.all()) };
  }

  it('deletes what nobody has used since it was seen, and says so', async () => {
    const { blobs, seen } = await seenOld();
    expect(await blobs.collect(seen)).toEqual(seen);
    expect(await blobs.find(digest)).toBeUndefined();
    expect(await blobs.read(digest)).toBeUndefined();
    expect(await Array.fromAsync(blobs.all())).toEqual([]);
    expect(await blobs.collect(seen)).toEqual([]);
    await blobs.write(BLOB.descriptor, opener(BLOB.bytes));
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it.each<[string, (blobs: Blobs) => Promise<unknown>]>([
    ['used', (blobs) => blobs.use(digest)],
    ['used durably', (blobs) => blobs.use(digest, { durable: true })],
    ['written', (blobs) => blobs.write(BLOB.descriptor, opener(BLOB.bytes))],
    ['put', (blobs) => blobs.put(digest, BLOB.bytes, nothing)],
    ['uploaded', committed],
    ['built', built],
  ])('spares what was %s since it was seen, also by another process', async (_, use) => {
    const { blobs, again, seen } = await seenOld();
    await use(again().blobs);
    expect(await blobs.collect(seen)).toEqual([]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
    const [now] = await Array.fromAsync(blobs.all());
    expect(now?.version).not.toBe(seen[0]?.version);
    expect(now?.used.getTime()).toBeGreaterThan((seen[0]?.used.getTime() ?? 0) + USE_STEP_MS);
  });

  it('spares what the last look of the caller names, and all if that look fails', async () => {
    const { blobs, seen } = await seenOld();
    expect(await blobs.collect(seen, { lastLook: async () => (one) => one === digest })).toEqual([]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
    const lastLook = () => Promise.reject(new Error('it cannot be seen'));
    await expect(blobs.collect(seen, { lastLook })).rejects.toThrow('it cannot be seen');
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
    expect(await blobs.collect(seen, { lastLook: async () => () => false })).toEqual(seen);
  });

  it('spares what was deleted and came back since it was seen', async () => {
    const { blobs, seen } = await seenOld();
    expect(await blobs.collect(seen)).toHaveLength(1);
    await built(blobs);
    expect(await blobs.collect(seen)).toEqual([]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('does not count as a use what only reads', async () => {
    const { blobs, seen } = await seenOld();
    await blobs.find(digest);
    await contentOf(blobs);
    expect(await blobs.collect(seen)).toEqual(seen);
  });

  it('spares what was used within a day, whoever asks for it to be deleted', async () => {
    const { blobs, age } = await written(make);
    await age(KEPT_MS - 60_000);
    const young = await Array.fromAsync(blobs.all());
    expect(await blobs.collect(young)).toEqual([]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('deletes what was used, a day later', async () => {
    const { blobs, age } = await seenOld();
    await blobs.use(digest);
    await age(KEPT_MS + 1000);
    expect(await blobs.collect(await Array.fromAsync(blobs.all()))).toHaveLength(1);
    expect(await blobs.find(digest)).toBeUndefined();
  });

  it('deletes what is damaged, and forgets that', async () => {
    const { blobs, damage, age } = await written(make);
    await damage(digest);
    await blobs.doubt(digest);
    expect(await blobs.find(digest)).toBeUndefined();
    await age(KEPT_MS + 1000);
    expect(await blobs.collect(await Array.fromAsync(blobs.all()))).toHaveLength(1);
    expect(await blobs.damaged()).toEqual(new Set());
    await built(blobs);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('deletes only what it is told to, and what is there', async () => {
    const { blobs, age } = await written(make, BLOB, OTHER);
    await age(KEPT_MS + 1000);
    const [, ...rest] = await Array.fromAsync(blobs.all());
    const unknown: StoredBlob = { digest: digestOf(Buffer.from('none')), size: 4, used: new Date(0), version: '1' };
    expect(await blobs.collect([])).toEqual([]);
    expect(await blobs.collect([unknown, ...rest])).toEqual(rest);
    expect(await Array.fromAsync(blobs.all())).toHaveLength(1);
  });

  it('lets each blob be deleted by one of two collectors', async () => {
    const { blobs, again, age } = await make();
    const many = Array.from({ length: 60 }, (_, at) => blobOf(bytesOf(`many ${at}`, 100)));
    for (const { descriptor, bytes } of many) await blobs.put(descriptor.digest, bytes, nothing);
    await age(KEPT_MS + 1000);
    const seen = await Array.fromAsync(blobs.all());
    const deleted = await Promise.all([blobs.collect(seen), again().blobs.collect(seen.toReversed())]);
    expect(new Set(deleted.flat().map((blob) => blob.digest)).size).toBe(60);
    expect(deleted.flat()).toHaveLength(60);
    expect(await Array.fromAsync(blobs.all())).toEqual([]);
  });
}
