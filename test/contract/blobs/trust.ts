// The contract of Blobs: damage and doubt.
import { expect, it } from 'vitest';
import type { Blobs } from '../../../src/storage/blobs.ts';
import { chunked, collect, opener } from '../content.ts';
import { BLOB, built, committed, contentOf, digest, type MakeBlobs, nothing, written } from './suite.ts';

export function trust(make: MakeBlobs): void {
  it('a damaged blob that nobody doubts is there; once a reader met wrong bytes it counts as absent', async () => {
    const { blobs, damage } = await written(make);
    await damage(digest);
    expect(await blobs.find(digest)).toBeDefined();
    const body = await blobs.readVerified(BLOB.descriptor);
    await expect(collect(body ?? chunked(Buffer.alloc(0)))).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    expect(await blobs.find(digest)).toBeUndefined();
    expect(await blobs.use(digest)).toBeUndefined();
    expect(await blobs.damaged()).toEqual(new Set([digest]));
    expect((await Array.fromAsync(blobs.all())).map((blob) => blob.digest)).toEqual([digest]);
  });

  it('a blob in doubt that is whole stays', async () => {
    const { blobs } = await written(make);
    await blobs.doubt(digest);
    expect(await blobs.find(digest)).toBeDefined();
    expect(await blobs.damaged()).toEqual(new Set());
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it.each<[string, (blobs: Blobs) => Promise<void>]>([
    ['write', (blobs) => blobs.write(BLOB.descriptor, opener(BLOB.bytes))],
    ['write that does not wait', (blobs) => blobs.write(BLOB.descriptor, opener(BLOB.bytes), { durable: false })],
    ['put', (blobs) => blobs.put(digest, BLOB.bytes, nothing)],
    ['a session', committed],
    ['a build', built],
  ])('a blob that is known to be damaged is repaired by %s', async (_, bring) => {
    const { blobs, damage } = await written(make);
    await damage(digest);
    await blobs.doubt(digest);
    await bring(blobs);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
    expect(await blobs.damaged()).toEqual(new Set());
  });
}
