// The contract of Blobs: how blobs are written.
import { expect, it } from 'vitest';
import { breakingOpener, bytesOf, chunked, opener } from '../content.ts';
import { BLOB, contentOf, digest, type MakeBlobs, nothing, OTHER, referring } from './suite.ts';

export function writing(make: MakeBlobs): void {
  it.each([true, false])('writes a blob (durable: %s) and does not ask for one that is there', async (durable) => {
    const { blobs } = await make();
    const asked: number[] = [];
    for (let round = 0; round < 2; round++) await blobs.write(BLOB.descriptor, opener(BLOB.bytes, asked), { durable });
    expect(asked).toEqual([0]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('goes on where an attempt broke off, also one of another process', async () => {
    const { blobs, again } = await make();
    await expect(blobs.write(BLOB.descriptor, breakingOpener(BLOB.bytes, 130_000))).rejects.toThrow('reset');
    expect(await blobs.find(digest)).toBeUndefined();
    const left = await again().blobs.partial(digest);
    expect(left).toBeGreaterThan(0);
    const asked: number[] = [];
    await again().blobs.write(BLOB.descriptor, opener(BLOB.bytes, asked));
    expect(asked).toEqual([left]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
    expect(await blobs.partial(digest)).toBe(BLOB.bytes.length);
  });

  it('has one writer at a time; the others find the blob', async () => {
    const { blobs, again } = await make();
    const asked: number[] = [];
    const other = again().blobs;
    const writers = [blobs, other, blobs, other].map((one) => one.write(BLOB.descriptor, opener(BLOB.bytes, asked)));
    await Promise.all(writers);
    expect(asked).toEqual([0]);
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('lets the next writer go on where one has failed', async () => {
    const { blobs } = await make();
    const asked: number[] = [];
    const results = await Promise.allSettled([
      blobs.write(BLOB.descriptor, breakingOpener(BLOB.bytes, 130_000)),
      blobs.write(BLOB.descriptor, opener(BLOB.bytes, asked)),
    ]);
    expect(results.map(({ status }) => status).sort()).toContain('fulfilled');
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it.each([
    ['other bytes', 'DIGEST_INVALID', bytesOf('wrong', BLOB.bytes.length)],
    ['too many bytes', 'SIZE_INVALID', bytesOf('layer', BLOB.bytes.length + 1)],
    ['too few bytes', 'SIZE_INVALID', BLOB.bytes.subarray(1)],
  ])('refuses %s', async (_, code, bytes) => {
    const { blobs } = await make();
    await expect(blobs.write(BLOB.descriptor, opener(bytes))).rejects.toMatchObject({ code });
    expect(await blobs.find(digest)).toBeUndefined();
    await blobs.write(BLOB.descriptor, opener(BLOB.bytes));
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
  });

  it('puts small ones with what refers to them, and replaces what is there', async () => {
    const { blobs, objects, damage } = await make();
    await blobs.put(OTHER.descriptor.digest, OTHER.bytes, referring(objects, 'link', blobs, OTHER));
    expect(await objects.get('link')).toBeDefined();
    await damage(OTHER.descriptor.digest);
    await blobs.put(OTHER.descriptor.digest, OTHER.bytes, nothing);
    expect(await contentOf(blobs, OTHER)).toEqual(OTHER.bytes);
  });

  it('keeps what was started and finished, and nothing of what was given up', async () => {
    const { blobs, objects } = await make();
    {
      await using started = await blobs.start();
      await started.append(Buffer.from('half'));
    }
    expect(await blobs.sweep({ before: new Date(0) })).toBe(0);
    for (let round = 0; round < 2; round++) {
      await using started = await blobs.start();
      for await (const chunk of chunked(BLOB.bytes, 70_000)) await started.append(chunk);
      await started.finish(digest);
    }
    expect(await contentOf(blobs)).toEqual(BLOB.bytes);
    expect(await blobs.use(digest, { durable: true })).toBeDefined();
    expect(await Array.fromAsync(objects.list('none/'))).toEqual([]);
  });
}
