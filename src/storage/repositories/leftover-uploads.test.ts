// Abandoned uploads: their cost for others, and their limit.
import { mkdir, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { blobOf, chunked, imageOf, pushImage } from '../../../test/contract/content.ts';
import type { Registry } from '../../registry/contract.ts';
import { diskStore } from '../drivers/staged-store.ts';
import { openEmbeddedStore } from '../embedded-store.ts';
import { smallDisk, stagedIn, testDirectory } from '../testing/directories.ts';
import { storedRegistry } from './stored-registry.ts';

/** Begins an upload, sends this many bytes, and abandons it. Returns its id. */
async function uploadPart(registry: Registry, bytes: Uint8Array): Promise<string> {
  await using upload = await registry.openUpload('a/b');
  await upload.append(chunked(bytes));
  return upload.id;
}

describe('uploads that were begun and left', () => {
  it('do not make others more expensive: each is looked for among few', async () => {
    await using directory = await testDirectory();
    const { registry } = await openEmbeddedStore(directory.path);
    for (let count = 0; count < 200; count++) await (await registry.openUpload('a/b'))[Symbol.asyncDispose]();
    const left = (await stagedIn(directory.path)).map((path) => dirname(path));
    expect(left).toHaveLength(200);
    const folders = [...Map.groupBy(left, (folder) => folder).values()];
    expect(Math.max(...folders.map((files) => files.length))).toBeLessThan(20);
  });

  it('give way to newer ones: their number and bytes are limited, and nobody is refused', async () => {
    await using directory = await testDirectory();
    const objects = diskStore(directory.path);
    const registry = storedRegistry(objects, { mostUnfinished: 40, unfinishedBytes: 1_000_000, graceMs: 0 });
    const held = async () => {
      const sizes = await Promise.all((await stagedIn(directory.path)).map(async (path) => (await stat(path)).size));
      return { count: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
    };
    for (let count = 0; count < 110; count++) {
      await (await registry.openUpload('a/b'))[Symbol.asyncDispose]();
      expect((await held()).count).toBeLessThanOrEqual(51);
    }
    let last = '';
    for (let count = 0; count < 30; count++) {
      await using upload = await registry.openUpload('a/b');
      await upload.append(chunked(Buffer.alloc(100_000)));
      last = upload.id;
      expect((await held()).bytes).toBeLessThanOrEqual(1_350_000);
    }
    await using upload = await registry.openUpload('a/b', last);
    expect(upload.size).toBe(100_000);
  });

  it('never hold more than a share of a small disk: more bytes are refused until others end', async () => {
    await using disk = await smallDisk(8192);
    if (!disk) return;
    const { registry } = await openEmbeddedStore(disk.path);
    const began: string[] = [];
    const refused: unknown[] = [];
    for (let count = 0; count < 40; count++) {
      try {
        began.push(await uploadPart(registry, Buffer.alloc(500_000)));
      } catch (error) {
        refused.push(error);
      }
    }
    expect(began).toHaveLength(9);
    for (const error of refused) expect(error).toMatchObject({ code: 'TOOMANYREQUESTS' });
    await pushImage(registry, 'team/app', imageOf('room'), ['1']);
    expect(await registry.statManifest('team/app', '1')).toBeDefined();
    for (const id of began.slice(0, 2)) await (await registry.openUpload('a/b', id)).cancel();
    await uploadPart(registry, Buffer.alloc(500_000));
  });

  it('stay if they were just written to, even if together they exceed the limits', async () => {
    await using disk = await smallDisk(8192);
    if (!disk) return;
    const { registry } = await openEmbeddedStore(disk.path);
    const layers = ['one', 'two'].map((fill) => blobOf(Buffer.alloc(3_000_000, fill)));
    const ids: string[] = [];
    for (const { bytes } of layers) ids.push(await uploadPart(registry, bytes));
    for (const [at, { descriptor }] of layers.entries()) {
      await using upload = await registry.openUpload('a/b', ids[at]);
      expect(await upload.commit(descriptor.digest)).toMatchObject({ size: 3_000_000 });
    }
  });

  it('give way a minute later, except for the newest, whatever its size', async () => {
    await using disk = await smallDisk(8192);
    if (!disk) return;
    const { registry } = await openEmbeddedStore(disk.path);
    const layer = blobOf(Buffer.alloc(3_000_000, 'layer'));
    const left = await uploadPart(registry, layer.bytes);
    const id = await uploadPart(registry, layer.bytes);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    onTestFinished(() => void vi.useRealTimers());
    await (await registry.openUpload('a/b'))[Symbol.asyncDispose]();
    await expect(registry.openUpload('a/b', left)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
    await using upload = await registry.openUpload('a/b', id);
    expect(await upload.commit(layer.descriptor.digest)).toMatchObject({ size: 3_000_000 });
  });

  it('by an earlier version, beside the folders of this one, go when they are old', async () => {
    await using directory = await testDirectory();
    await mkdir(join(directory.path, 'images/stage'), { recursive: true });
    const old = join(directory.path, 'images/stage/upload-0123456789abcdef-left');
    await writeFile(old, 'left');
    await utimes(old, 0, 0);
    const { registry } = await openEmbeddedStore(directory.path);
    await (await registry.openUpload('a/b'))[Symbol.asyncDispose]();
    expect(await stagedIn(directory.path)).toHaveLength(1);
    expect(await stagedIn(directory.path)).not.toContain(old);
  });
});
