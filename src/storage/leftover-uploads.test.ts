// Uploads that nobody goes on with: what they cost others, and how many there can be.
import { mkdir, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blobOf, chunked, imageOf, pushImage } from '../../test/contract/content.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import { openFsObjectStore } from './fs-object-store.ts';
import { storedRegistry } from './stored-registry.ts';
import { smallDisk, stagedIn, testDirectory } from './testing/directories.ts';

describe('uploads that were begun and left', () => {
  it('do not make others dearer: each is looked for among few', async () => {
    await using directory = await testDirectory();
    const { registry } = await openEmbeddedStore(directory.path);
    for (let count = 0; count < 600; count++) await (await registry.openUpload('a/b'))[Symbol.asyncDispose]();
    const left = (await stagedIn(directory.path)).map((path) => dirname(path));
    expect(left).toHaveLength(600);
    const folders = [...Map.groupBy(left, (folder) => folder).values()];
    expect(Math.max(...folders.map((files) => files.length))).toBeLessThan(30);
  });

  it('give way to newer ones: in number and in bytes there is an end, and nobody is refused', async () => {
    await using directory = await testDirectory();
    const objects = openFsObjectStore(directory.path);
    const registry = storedRegistry(objects, { mostUnfinished: 40, unfinishedBytes: 1_000_000 });
    const held = async () => {
      const sizes = await Promise.all((await stagedIn(directory.path)).map(async (path) => (await stat(path)).size));
      return { count: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
    };
    for (let count = 0; count < 200; count++) {
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

  it('never hold more than a share of a small disk', async () => {
    await using disk = await smallDisk(8192);
    if (!disk) return;
    const { registry } = await openEmbeddedStore(disk.path);
    for (let count = 0; count < 40; count++) {
      await using upload = await registry.openUpload('a/b');
      await upload.append(chunked(Buffer.alloc(500_000)));
    }
    await pushImage(registry, 'team/app', imageOf('room'), ['1']);
    expect(await registry.statManifest('team/app', '1')).toBeDefined();
  });

  it('are not those that are larger than all that may be left: the newest can be gone on with', async () => {
    await using disk = await smallDisk(8192);
    if (!disk) return;
    const { registry } = await openEmbeddedStore(disk.path);
    const layer = blobOf(Buffer.alloc(3_000_000, 'layer'));
    const begin = async () => {
      await using upload = await registry.openUpload('a/b');
      await upload.append(chunked(layer.bytes));
      return upload.id;
    };
    const left = await begin();
    const id = await begin();
    await using upload = await registry.openUpload('a/b', id);
    expect(await upload.commit(layer.descriptor.digest)).toMatchObject({ size: 3_000_000 });
    await expect(registry.openUpload('a/b', left)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
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
