// The contract of Blobs: what is there, and what is read.
import { expect, it } from 'vitest';
import { blobOf, bytesOf, collect } from '../content.ts';
import { BLOB, contentOf, digest, type MakeBlobs, OTHER, written } from './suite.ts';

export function reading(make: MakeBlobs): void {
  it('has nothing that was not written', async () => {
    const { blobs } = await make();
    expect(await blobs.find(digest)).toBeUndefined();
    expect(await blobs.use(digest)).toBeUndefined();
    expect(await blobs.use(digest, { durable: true })).toBeUndefined();
    expect(await blobs.read(digest)).toBeUndefined();
    expect(await blobs.readVerified(BLOB.descriptor)).toBeUndefined();
    expect(await blobs.partial(digest)).toBe(0);
    expect(await Array.fromAsync(blobs.all())).toEqual([]);
    expect(await blobs.damaged()).toEqual(new Set());
  });

  it('finds a blob with its size, and uses it', async () => {
    const { blobs } = await written(make);
    for (const found of [await blobs.find(digest), await blobs.use(digest), await blobs.use(digest, { durable: true })])
      expect(found).toMatchObject({ digest, size: BLOB.bytes.length });
  });

  it('reads ranges: from, to, both, and as much as there is', async () => {
    const { blobs } = await written(make, OTHER);
    for (const [from, to] of [[], [7], [undefined, 9], [3, 2000], [2990, 9999], [3000]]) {
      const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
      const body = await blobs.read(OTHER.descriptor.digest, range);
      expect(body && (await collect(body)), `${from}-${to}`).toEqual(OTHER.bytes.subarray(from, to));
    }
  });

  it('gives all blobs, each once', async () => {
    const { blobs } = await written(make, BLOB, OTHER, BLOB);
    const all = await Array.fromAsync(blobs.all());
    expect(all.map((blob) => blob.digest).sort()).toEqual([digest, OTHER.descriptor.digest].sort());
    for (const blob of all) expect(await blobs.find(blob.digest)).toEqual(blob);
  });

  it('knows blobs of every algorithm', async () => {
    const wide = blobOf(bytesOf('wide', 500), 'x/y', 'sha512');
    const { blobs } = await written(make, wide);
    expect(await contentOf(blobs, wide)).toEqual(wide.bytes);
    expect((await Array.fromAsync(blobs.all())).map((blob) => blob.digest)).toEqual([wide.descriptor.digest]);
  });
}
