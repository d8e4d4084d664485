// The store after power cuts, on a full disk and on a read-only one.
import { mkdir, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  blobOf,
  breakingOpener,
  bytesOf,
  chunked,
  collect,
  imageOf,
  opener,
  pushImage,
} from '../../test/contract/content.ts';
import { diskStore } from './drivers/staged-store.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import { blobKey, layerLinkKey, revisionLinkKey, tagLinkKey } from './layout/registry-keys.ts';
import { storeHealth } from './store-health.ts';
import { canMount, smallDisk, stagedIn, testDirectory } from './testing/directories.ts';

describe('after a power cut', () => {
  const image = imageOf('cut');

  it.each(['', '\0'.repeat(71), 'sha256:12'])(
    'a link that holds [%s] counts as absent and is mended',
    async (garbage) => {
      await using directory = await testDirectory();
      const { registry } = await openEmbeddedStore(directory.path);
      await pushImage(registry, 'team/app', image, ['1']);
      const layer = image.layers[0]?.descriptor.digest ?? image.config.descriptor.digest;
      for (const key of [
        layerLinkKey('team/app', layer),
        revisionLinkKey('team/app', image.manifest.digest),
        tagLinkKey('team/app', '1'),
      ]) {
        await writeFile(join(directory.path, key), garbage);
      }
      expect(await registry.statBlob('team/app', layer)).toBeUndefined();
      expect(await registry.statManifest('team/app', image.manifest.digest)).toBeUndefined();
      expect(await registry.statManifest('team/app', '1')).toBeUndefined();
      expect(await Array.fromAsync(registry.tags('team/app'))).toEqual([]);
      await pushImage(registry, 'team/app', image, ['1']);
      expect(await registry.statManifest('team/app', '1')).toMatchObject({ digest: image.manifest.digest });
      expect(await registry.statBlob('team/app', layer)).toBeDefined();
    },
  );

  it('a manifest or blob that lost bytes counts as absent and is fetched again', async () => {
    await using directory = await testDirectory();
    const { registry } = await openEmbeddedStore(directory.path);
    await pushImage(registry, 'team/app', image, ['1']);
    const layer = image.layers[0];
    if (!layer) throw new Error('no layer');
    await truncate(join(directory.path, blobKey(image.manifest.digest)), 100);
    await truncate(join(directory.path, blobKey(layer.descriptor.digest)), 0);
    expect(await registry.statManifest('team/app', '1')).toBeUndefined();
    await pushImage(registry, 'team/app', image, ['1']);
    expect((await registry.getManifest('team/app', '1')).bytes).toEqual(image.manifest.bytes);
    expect(await collect((await registry.getBlob('team/app', layer.descriptor.digest)).body)).toEqual(layer.bytes);
  });
});

describe.skipIf(!canMount)('a file system (skipped where we may not mount)', () => {
  const image = imageOf('small');

  it('that is full is NO_SPACE; what was there stays, and it goes on when there is room', async () => {
    await using disk = await smallDisk(2048);
    const path = disk?.path ?? '';
    const { registry } = await openEmbeddedStore(path);
    await pushImage(registry, 'team/app', image, ['1']);
    await writeFile(join(path, 'filler'), Buffer.alloc(1_000_000));
    const large = blobOf(bytesOf('large', 1_500_000));
    await expect(registry.putBlob('team/app', large.descriptor, opener(large.bytes))).rejects.toMatchObject({
      code: 'NO_SPACE',
      hint: expect.any(String),
    });
    expect((await registry.getManifest('team/app', '1')).digest).toBe(image.manifest.digest);
    expect(await registry.statBlob('team/app', large.descriptor.digest)).toBeUndefined();
    const held = await registry.partialBytes(large.descriptor.digest);
    await truncate(join(path, 'filler'), 0);
    const asked: number[] = [];
    await registry.putBlob('team/app', large.descriptor, opener(large.bytes, asked));
    expect(asked).toEqual([held]);
    expect(await collect((await registry.getBlob('team/app', large.descriptor.digest)).body)).toEqual(large.bytes);
  });

  it('that is full is NO_SPACE for the chunk of an upload that does not fit; what is acknowledged is on disk', async () => {
    await using disk = await smallDisk(2048);
    const path = disk?.path ?? '';
    const { registry } = await openEmbeddedStore(path);
    const large = blobOf(bytesOf('large', 1_500_000));
    const begun = await registry.openUpload('team/app');
    expect(await begun.append(chunked(large.bytes.subarray(0, 300_000)))).toBe(300_000);
    await begun[Symbol.asyncDispose]();
    await writeFile(join(path, 'filler'), Buffer.alloc(1_700_000)).catch(() => {});
    {
      await using full = await registry.openUpload('team/app', begun.id);
      // Less than the write buffer: even so, the error must come before the call returns.
      const chunk = large.bytes.subarray(300_000, 500_000);
      await expect(full.append(chunked(chunk))).rejects.toMatchObject({ code: 'NO_SPACE' });
      expect(full.size).toBeGreaterThanOrEqual(300_000);
      expect(full.size).toBeLessThan(500_000);
    }
    await truncate(join(path, 'filler'), 0);
    await using upload = await (await openEmbeddedStore(path)).registry.openUpload('team/app', begun.id);
    await upload.append(chunked(large.bytes.subarray(upload.size)));
    expect((await upload.commit(large.descriptor.digest)).size).toBe(large.bytes.length);
  });

  it('that is full can be read and not written to, says its health, and is well again when there is room', async () => {
    await using disk = await smallDisk(2048);
    const path = disk?.path ?? '';
    const { registry } = await openEmbeddedStore(path);
    const health = storeHealth(path);
    await health.canRead();
    await health.canWrite();
    await pushImage(registry, 'team/app', image, ['1']);
    await health.canRead();
    await writeFile(join(path, 'filler'), Buffer.alloc(2_100_000)).catch(() => {});
    await health.canRead();
    await expect(health.canWrite()).rejects.toMatchObject({ code: 'NO_SPACE' });
    await truncate(join(path, 'filler'), 0);
    await health.canWrite();
    expect(await readdir(join(path, 'images/tmp'))).toEqual([]);
  });

  it('that is read-only is read, and READ_ONLY when written to', async () => {
    await using disk = await smallDisk(2048);
    const { registry } = await openEmbeddedStore(disk?.path ?? '');
    await pushImage(registry, 'team/app', image, ['1']);
    await disk?.makeReadOnly();
    // What unfinished uploads hold is counted there, too.
    expect(await diskStore(disk?.path ?? '').blobs.sweep({ before: new Date(0) })).toBe(0);
    expect((await registry.getManifest('team/app', '1')).bytes).toEqual(image.manifest.bytes);
    expect(await Array.fromAsync(registry.repositories())).toEqual(['team/app']);
    for (const { descriptor, bytes } of [image.config, ...image.layers]) {
      expect(await collect((await registry.getBlob('team/app', descriptor.digest)).body)).toEqual(bytes);
    }
    const blob = blobOf(bytesOf('new', 10));
    const put = registry.putBlob('team/app', blob.descriptor, opener(blob.bytes));
    await expect(put).rejects.toMatchObject({ code: 'READ_ONLY', hint: expect.any(String) });
    await expect(registry.deleteTag('team/app', '1')).rejects.toMatchObject({ code: 'READ_ONLY' });
    // Succeeds, because everything is there already.
    await pushImage(registry, 'team/app', image, []);
  });
});

describe('what broke off', () => {
  it('is kept for a week, then removed by the next who puts something', async () => {
    await using directory = await testDirectory();
    const blob = blobOf(bytesOf('broken', 300_000));
    const other = blobOf(bytesOf('other', 10));
    const { registry } = await openEmbeddedStore(directory.path);
    await expect(registry.putBlob('team/app', blob.descriptor, breakingOpener(blob.bytes, 100_000))).rejects.toThrow();
    const [stage = ''] = await stagedIn(directory.path);
    const day = 24 * 3600;
    for (const [days, kept] of [
      [6, 100_000],
      [8, 0],
    ] as const) {
      const then = Date.now() / 1000 - days * day;
      await utimes(stage, then, then);
      const later = await openEmbeddedStore(directory.path);
      await later.registry.deleteBlob('team/app', other.descriptor.digest).catch(() => {});
      await rm(join(directory.path, blobKey(other.descriptor.digest)), { force: true });
      await later.registry.putBlob('team/app', other.descriptor, opener(other.bytes));
      expect(await later.registry.partialBytes(blob.descriptor.digest)).toBe(kept);
    }
  });
});

describe('a directory that is not there', () => {
  it('is an empty store to read, and is made when written to', async () => {
    await using directory = await testDirectory();
    const path = join(directory.path, 'not/yet');
    const { registry } = await openEmbeddedStore(path);
    expect(await registry.statManifest('alpine', '3')).toBeUndefined();
    expect(await Array.fromAsync(registry.repositories())).toEqual([]);
    expect(await readdir(directory.path)).toEqual([]);
    await pushImage(registry, 'alpine', imageOf('made'), ['3']);
    expect(await registry.statManifest('alpine', '3')).toBeDefined();
  });

  it('may hold other things that are no store', async () => {
    await using directory = await testDirectory();
    await mkdir(join(directory.path, 'docker/registry/v2/repositories'), { recursive: true });
    await writeFile(join(directory.path, 'docker/registry/v2/repositories/stray'), 'x');
    await mkdir(join(directory.path, 'docker/registry/v2/repositories/Not A Name/_manifests/tags'), {
      recursive: true,
    });
    const { registry } = await openEmbeddedStore(directory.path);
    expect(await Array.fromAsync(registry.repositories())).toEqual([]);
  });
});
