// The contract of Registry: blobs and uploads.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Registry } from '../../../src/registry/contract.ts';
import { blobOf, breakingOpener, bytesOf, chunked, collect, imageOf, opener, pushImage } from '../content.ts';
import { codeOf, type RegistrySuite } from './suite.ts';

export function blobContract(suite: RegistrySuite): void {
  let registry: Registry;

  beforeEach(() => {
    registry = suite.registry();
  });

  describe(`${suite.name}: blobs`, () => {
    const blob = blobOf(bytesOf('blob', 300_000));

    it('are given back as they were put', async () => {
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes));
      const content = await registry.getBlob('team/app', blob.descriptor.digest);
      expect(content.descriptor).toMatchObject({ digest: blob.descriptor.digest, size: 300_000 });
      expect(Buffer.compare(await collect(content.body), blob.bytes)).toBe(0);
      expect(await registry.statBlob('team/app', blob.descriptor.digest)).toMatchObject({
        digest: blob.descriptor.digest,
        size: 300_000,
      });
    });

    it('can be empty, and have a sha512 digest', async () => {
      for (const odd of [blobOf(Buffer.alloc(0)), blobOf(bytesOf('x', 10), undefined, 'sha512')]) {
        await registry.putBlob('team/app', odd.descriptor, opener(odd.bytes));
        const { body } = await registry.getBlob('team/app', odd.descriptor.digest);
        expect(await collect(body)).toEqual(odd.bytes);
      }
    });

    it('are not asked for when they are there', async () => {
      const asked: number[] = [];
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes, asked));
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes, asked));
      expect(asked).toEqual([0]);
    });

    it('come in ranges; one from beyond the end is RANGE_INVALID', async () => {
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes));
      const { digest } = blob.descriptor;
      const ranged = await registry.getBlob('team/app', digest, { from: 1000, to: 2000 });
      expect(ranged.descriptor.size).toBe(300_000);
      expect(await collect(ranged.body)).toEqual(blob.bytes.subarray(1000, 2000));
      const tail = await registry.getBlob('team/app', digest, { from: 299_990, to: 999_999 });
      expect(await collect(tail.body)).toEqual(blob.bytes.subarray(299_990));
      await expect(registry.getBlob('team/app', digest, { from: 300_000 })).rejects.toMatchObject({
        code: 'RANGE_INVALID',
      });
    });

    it('that are not there are undefined, or BLOB_UNKNOWN, or NAME_UNKNOWN', async () => {
      const { digest } = blob.descriptor;
      expect(await registry.statBlob('nowhere', digest)).toBeUndefined();
      expect(await codeOf(registry.getBlob('nowhere', digest))).toMatch(/^(NAME|BLOB)_UNKNOWN$/);
      await pushImage(registry, 'team/app', imageOf('one'));
      expect(await registry.statBlob('team/app', digest)).toBeUndefined();
      expect(await codeOf(registry.getBlob('team/app', digest))).toBe('BLOB_UNKNOWN');
    });

    it('of one repository are not those of another', async () => {
      await pushImage(registry, 'team/other', imageOf('one'));
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes));
      expect(await registry.statBlob('team/other', blob.descriptor.digest)).toBeUndefined();
    });

    it('with another content than their digest says are refused, and nothing of them is kept', async () => {
      const wrong = Buffer.from(blob.bytes).fill(1, 5, 6);
      const put = registry.putBlob('team/app', blob.descriptor, opener(wrong));
      expect(await codeOf(put)).toBe('DIGEST_INVALID');
      expect(await registry.statBlob('team/app', blob.descriptor.digest)).toBeUndefined();
      expect(await registry.partialBytes(blob.descriptor.digest)).toBe(0);
    });

    it('that are longer than they should be are refused', async () => {
      const longer = Buffer.concat([blob.bytes, Buffer.from('more')]);
      expect(await codeOf(registry.putBlob('team/app', blob.descriptor, opener(longer)))).toBe('SIZE_INVALID');
      expect(await registry.statBlob('team/app', blob.descriptor.digest)).toBeUndefined();
      expect(await registry.partialBytes(blob.descriptor.digest)).toBe(0);
    });

    it.runIf(suite.can('keepsPartialBlobs'))('that broke off are continued', async () => {
      const { descriptor, bytes } = blob;
      await expect(registry.putBlob('team/app', descriptor, breakingOpener(bytes, 100_000))).rejects.toThrow('reset');
      expect(await registry.partialBytes(descriptor.digest)).toBe(100_000);
      // A body that ends too early without an error, like that of a server that closes the connection.
      const short: (from: number) => Promise<AsyncGenerator<Uint8Array>> = async (from) =>
        chunked(bytes.subarray(from, 150_000));
      expect(await codeOf(registry.putBlob('team/app', descriptor, short))).toBe('SIZE_INVALID');
      expect(await registry.partialBytes(descriptor.digest)).toBe(150_000);
      const asked: number[] = [];
      await registry.putBlob('team/other', descriptor, opener(bytes, asked));
      expect(asked).toEqual([150_000]);
      expect(await collect((await registry.getBlob('team/other', descriptor.digest)).body)).toEqual(bytes);
      // The whole blob: the next repository only needs a link.
      expect(await registry.partialBytes(descriptor.digest)).toBe(300_000);
    });

    it.runIf(suite.can('keepsPartialBlobs'))('whose kept bytes prove wrong are fetched whole, once', async () => {
      const { descriptor, bytes } = blob;
      const wrong = Buffer.from(bytes).fill(1, 5, 6);
      await expect(registry.putBlob('team/app', descriptor, breakingOpener(wrong, 100_000))).rejects.toThrow('reset');
      const asked: number[] = [];
      await registry.putBlob('team/app', descriptor, opener(bytes, asked));
      expect(asked).toEqual([100_000, 0]);
      expect(await collect((await registry.getBlob('team/app', descriptor.digest)).body)).toEqual(bytes);
    });

    it.runIf(suite.can('keepsPartialBlobs'))('that two callers put at once are asked for once', async () => {
      const asked: number[] = [];
      const open = opener(blob.bytes, asked);
      await Promise.all(['a', 'b', 'c'].map((repository) => registry.putBlob(repository, blob.descriptor, open)));
      expect(asked).toEqual([0]);
      for (const repository of ['a', 'b', 'c']) {
        expect(await registry.statBlob(repository, blob.descriptor.digest)).toBeDefined();
      }
    });

    it('are mounted from another repository, named or not; unknown ones are not', async () => {
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes));
      expect(await registry.mountBlob('team/named', blob.descriptor.digest, 'team/app')).toBe(true);
      expect(await registry.statBlob('team/named', blob.descriptor.digest)).toMatchObject({ size: 300_000 });
      expect(await registry.mountBlob('team/any', blob.descriptor.digest)).toBe(true);
      expect(await registry.mountBlob('team/any', blobOf(bytesOf('unknown', 5)).descriptor.digest)).toBe(false);
    });

    it.runIf(suite.can('deletes'))('are deleted from one repository and stay in others', async () => {
      await pushImage(registry, 'team/app', imageOf('one'));
      await registry.putBlob('team/app', blob.descriptor, opener(blob.bytes));
      await registry.mountBlob('team/other', blob.descriptor.digest, 'team/app');
      await registry.deleteBlob('team/app', blob.descriptor.digest);
      expect(await registry.statBlob('team/app', blob.descriptor.digest)).toBeUndefined();
      expect(await registry.statBlob('team/other', blob.descriptor.digest)).toBeDefined();
      expect(await codeOf(registry.deleteBlob('team/app', blob.descriptor.digest))).toBe('BLOB_UNKNOWN');
    });

    it('of a repository with a bad name are NAME_INVALID', async () => {
      for (const bad of ['UPPER', 'a//b', '../x', 'a/_layers/b', '']) {
        expect(await codeOf(registry.putBlob(bad, blob.descriptor, opener(blob.bytes)))).toBe('NAME_INVALID');
      }
    });
  });

  describe(`${suite.name}: uploads`, () => {
    const { bytes, descriptor } = blobOf(bytesOf('upload', 100_000));

    it('become a blob when they are committed', async () => {
      await using upload = await registry.openUpload('team/app');
      expect(upload.size).toBe(0);
      expect(await upload.append(chunked(bytes.subarray(0, 40_000)))).toBe(40_000);
      expect(await upload.append(chunked(bytes.subarray(40_000)), { from: 40_000 })).toBe(100_000);
      expect(await upload.commit(descriptor.digest)).toMatchObject({ digest: descriptor.digest, size: 100_000 });
      expect(await collect((await registry.getBlob('team/app', descriptor.digest)).body)).toEqual(bytes);
    });

    it('are continued by their id', async () => {
      const first = await registry.openUpload('team/app');
      await first.append(chunked(bytes.subarray(0, 40_000)));
      await first[Symbol.asyncDispose]();
      await using second = await registry.openUpload('team/app', first.id);
      expect(second.size).toBe(40_000);
      await second.append(chunked(bytes.subarray(40_000)));
      await second.commit(descriptor.digest);
      expect(await registry.statBlob('team/app', descriptor.digest)).toMatchObject({ size: 100_000 });
    });

    it('can have a sha512 digest', async () => {
      const sha512 = blobOf(bytes, undefined, 'sha512').descriptor.digest;
      await using upload = await registry.openUpload('team/app');
      await upload.append(chunked(bytes));
      expect((await upload.commit(sha512)).digest).toBe(sha512);
    });

    it('refuse bytes out of order, and stay as they were', async () => {
      await using upload = await registry.openUpload('team/app');
      await upload.append(chunked(bytes.subarray(0, 50)));
      for (const from of [0, 49, 51]) {
        expect(await codeOf(upload.append(chunked(bytes.subarray(from, 60)), { from }))).toBe('RANGE_INVALID');
      }
      expect(upload.size).toBe(50);
      await upload.append(chunked(bytes.subarray(50)), { from: 50 });
      await upload.commit(descriptor.digest);
    });

    it('with a wrong digest are refused and discarded', async () => {
      const upload = await registry.openUpload('team/app');
      await upload.append(chunked(bytes.subarray(1)));
      expect(await codeOf(upload.commit(descriptor.digest))).toBe('DIGEST_INVALID');
      await upload[Symbol.asyncDispose]();
      expect(await codeOf(registry.openUpload('team/app', upload.id))).toBe('BLOB_UPLOAD_UNKNOWN');
      expect(await registry.statBlob('team/app', descriptor.digest)).toBeUndefined();
    });

    it('are cancelled', async () => {
      const upload = await registry.openUpload('team/app');
      await upload.append(chunked(bytes));
      await upload.cancel();
      expect(await codeOf(registry.openUpload('team/app', upload.id))).toBe('BLOB_UPLOAD_UNKNOWN');
    });

    it('that were never begun are BLOB_UPLOAD_UNKNOWN', async () => {
      for (const id of ['00000000-0000-4000-8000-000000000000', 'nonsense', '..']) {
        expect(await codeOf(registry.openUpload('team/app', id))).toBe('BLOB_UPLOAD_UNKNOWN');
      }
    });
  });
}
