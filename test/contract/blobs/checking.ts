// The contract of Blobs: checks of all that is there.
import { expect, it } from 'vitest';
import { blobOf, bytesOf, opener } from '../content.ts';
import { BLOB, digest, type MakeBlobs, nothing, OTHER, written } from './suite.ts';

export function checking(make: MakeBlobs): void {
  it('a blob that is checked is whole, damaged, or not there', async () => {
    const { blobs, damage } = await written(make);
    expect(await blobs.check(digest)).toBe('whole');
    await damage(digest);
    expect(await blobs.check(digest)).toBe('damaged');
    expect(await blobs.find(digest)).toBeUndefined();
    expect(await blobs.damaged()).toEqual(new Set([digest]));
    expect(await blobs.check(OTHER.descriptor.digest)).toBeUndefined();
  });

  it('other processes know of damage that a check has found', async () => {
    const { blobs, again, damage } = await written(make);
    await damage(digest);
    await blobs.check(digest);
    expect(await again().blobs.find(digest)).toBeUndefined();
  });

  it('a check settles a doubt, and sees bytes that were repaired', async () => {
    const { blobs, damage } = await written(make);
    await blobs.doubt(digest);
    expect(await blobs.check(digest)).toBe('whole');
    await damage(digest);
    await blobs.check(digest);
    await blobs.write(BLOB.descriptor, opener(BLOB.bytes));
    expect(await blobs.check(digest)).toBe('whole');
    expect(await blobs.damaged()).toEqual(new Set());
  });

  it('a check keeps pace, and ends when the pace throws; nothing is recorded of the blob then', async () => {
    const { blobs, damage } = await written(make);
    await damage(digest);
    let read = 0;
    const pace = (bytes: number) => {
      read += bytes;
      return undefined;
    };
    const stopping = () => Promise.reject(new Error('enough'));
    await expect(blobs.check(digest, stopping)).rejects.toThrow('enough');
    expect(await blobs.damaged()).toEqual(new Set());
    await blobs.check(digest, pace);
    expect(read).toBe(BLOB.bytes.length);
  });

  it('a blob that is written again while it is checked is whole', async () => {
    const { blobs, damage } = await written(make);
    await damage(digest);
    const replacing = async () => {
      await blobs.put(digest, BLOB.bytes, nothing);
    };
    await blobs.check(digest, () => replacing());
    expect(await blobs.find(digest)).toBeDefined();
    expect(await blobs.damaged()).toEqual(new Set());
  });

  it('gives blobs in the order of their digests, after a digest', async () => {
    const wide = blobOf(bytesOf('wide', 500), 'x/y', 'sha512');
    const { blobs } = await written(make, BLOB, OTHER, wide);
    const all = [digest, OTHER.descriptor.digest, wide.descriptor.digest].sort();
    for (const [at, one] of all.entries()) {
      const after = await Array.fromAsync(blobs.all(one));
      expect(after.map((blob) => blob.digest)).toEqual(all.slice(at + 1));
    }
  });
}
