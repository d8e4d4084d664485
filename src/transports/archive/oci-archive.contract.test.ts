import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { opener } from '../../../test/contract/content.ts';
import { imageSinkContract } from '../../../test/contract/image-sink-contract.ts';
import { imageSourceContract } from '../../../test/contract/image-source-contract.ts';
import { imageContent, indexContent, layoutFiles, writeFiles } from '../../../test/contract/named-content.ts';
import { must } from '../../../test/peers/process.ts';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { formatReference } from '../../oci/reference.ts';
import { openArchive } from './archive-file.ts';
import { ociArchiveSink } from './oci-archive-sink.ts';
import { openOciArchive } from './oci-archive-source.ts';

imageSourceContract('an oci-archive', indexContent('archive'), async (content) => {
  const directory = await temporaryDirectory('archive');
  const file = join(directory.path, 'layout.tar');
  await writeFiles(join(directory.path, 'layout'), layoutFiles(content));
  await must('tar', ['-cf', file, '-C', join(directory.path, 'layout'), '.']);
  const source = await openOciArchive({ path: file, ref: '1.2' }, { temporaryDirectory: tmpdir() });
  return {
    source,
    damage: async ({ bytes }) => {
      const at = (await readFile(file)).indexOf(bytes);
      await using handle = await open(file, 'r+');
      await handle.write(Buffer.from([(bytes[0] ?? 0) ^ 1]), 0, 1, at);
    },
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
});

imageSinkContract(
  'an oci-archive',
  async () => {
    const directory = await temporaryDirectory('archive');
    const path = join(directory.path, 'layout.tar');
    const sink = ociArchiveSink(path, { temporaryDirectory: tmpdir() });
    return {
      sink,
      read: async (name) => openOciArchive({ path, ref: formatReference(name) }, { temporaryDirectory: tmpdir() }),
      async [Symbol.asyncDispose]() {
        await sink[Symbol.asyncDispose]();
        await directory[Symbol.asyncDispose]();
      },
    };
  },
  { keepsParts: false, byImage: false },
);

describe('an archive', () => {
  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)('that is compressed with %s is read all the same', async (_, compress) => {
    await using directory = await temporaryDirectory('archive');
    const content = imageContent('packed');
    const plain = join(directory.path, 'plain.tar');
    await writeFiles(join(directory.path, 'layout'), layoutFiles(content));
    await must('tar', ['-cf', plain, '-C', join(directory.path, 'layout'), '.']);
    const path = join(directory.path, 'packed.tar');
    await writeFile(path, compress(await readFile(plain)));
    await using source = await openOciArchive({ path }, { temporaryDirectory: directory.path });
    expect((await source.root()).digest).toBe(content.root.digest);
    expect((await readdir(directory.path)).sort()).toEqual(['layout', 'packed.tar', 'plain.tar']);
  });

  it('that breaks off, is not an archive or is missing is reported in one line', async () => {
    await using directory = await temporaryDirectory('archive');
    const path = join(directory.path, 'x.tar');
    await writeFiles(join(directory.path, 'layout'), layoutFiles(imageContent('short')));
    await must('tar', ['-cf', path, '-C', join(directory.path, 'layout'), '.']);
    const whole = await readFile(path);
    const label = `oci-archive:${path}`;
    const cases: readonly [Buffer, string][] = [
      [whole.subarray(0, whole.indexOf('oci-layout') + 400), 'TAR_INVALID'],
      [gzipSync(whole).subarray(0, 200), 'COMPRESSION_INVALID'],
      [Buffer.alloc(2000, 'no archive '), 'TAR_INVALID'],
    ];
    for (const [bytes, code] of cases) {
      await writeFile(path, bytes);
      const failure = await openOciArchive({ path }, { temporaryDirectory: tmpdir() }).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code, hint: expect.stringContaining('again') });
      expect(String(failure)).toContain(label);
    }
    await writeFile(path, '');
    await using empty = await openOciArchive({ path }, { temporaryDirectory: tmpdir() });
    await expect(empty.root()).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
    await expect(openOciArchive({ path: `${path}.none` }, { temporaryDirectory: tmpdir() })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
    await expect(openOciArchive({ path: directory.path }, { temporaryDirectory: tmpdir() })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
  });

  it('has its links followed, except those that lead nowhere or out of it', async () => {
    await using directory = await temporaryDirectory('archive');
    const at = (name: string) => join(directory.path, 'in', name);
    await writeFiles(at('.'), new Map([['a/real', Buffer.from('content')]]));
    await must('ln', ['-s', '../a/real', at('a/link')]);
    await must('ln', ['-s', 'loop2', at('a/loop1')]);
    await must('ln', ['-s', 'loop1', at('a/loop2')]);
    await must('ln', ['-s', '../../../etc/passwd', at('a/out')]);
    await must('ln', [at('a/real'), at('a/same')]);
    const path = join(directory.path, 'x.tar');
    await must('tar', ['-cPf', path, '-C', at('.'), 'a', at('../in/a/real')]);
    await using archive = await openArchive(path, { temporaryDirectory: tmpdir(), label: 'x' });
    for (const name of ['a/real', './a//real', 'a/link', 'a/same']) expect(archive.find(name)?.size).toBe(7);
    for (const name of ['a/loop1', 'a/out', '../x', 'etc/passwd', 'a', '']) expect(archive.find(name)).toBeUndefined();
  });
});

describe('an oci-archive that is written', () => {
  const contents = ['one', 'two', 'three'].map(imageContent);

  async function write(path: string, order: readonly number[]): Promise<void> {
    await using sink = ociArchiveSink(path, { temporaryDirectory: tmpdir() });
    for (const { name, blobs } of contents) {
      await sink.missing(
        name,
        blobs.map(({ descriptor }) => descriptor),
      );
    }
    for (const at of order) {
      const { name, blobs, root } = contents[at] ?? contents[0] ?? imageContent('none');
      const shuffled = at % 2 === 0 ? blobs : blobs.toReversed();
      await Promise.all(shuffled.map((blob) => sink.putBlob(name, blob.descriptor, opener(blob.bytes))));
      await sink.commit(name, root);
    }
    await sink.finish();
  }

  it('has the same bytes whatever order its blobs came in', async () => {
    await using directory = await temporaryDirectory('archive');
    const [one, other] = [join(directory.path, 'one.tar'), join(directory.path, 'other.tar')];
    await write(one, [0, 1, 2]);
    await write(other, [2, 0, 1]);
    expect(Buffer.compare(await readFile(one), await readFile(other))).toBe(0);
  });

  it('has only what its images need, also where one has failed', async () => {
    await using directory = await temporaryDirectory('archive');
    const path = join(directory.path, 'x.tar');
    const [kept, failed] = contents as [(typeof contents)[0], (typeof contents)[0]];
    await using sink = ociArchiveSink(path, { temporaryDirectory: tmpdir() });
    for (const { name, blobs } of contents) {
      await sink.missing(
        name,
        blobs.map(({ descriptor }) => descriptor),
      );
    }
    await sink.putBlob(failed.name, failed.blobs[0]?.descriptor ?? never(), opener(failed.blobs[0]?.bytes ?? never()));
    for (const { descriptor, bytes } of kept.blobs) await sink.putBlob(kept.name, descriptor, opener(bytes));
    await sink.commit(kept.name, kept.root);
    await sink.finish();
    const listing = (await must('tar', ['-tf', path])).trim().split('\n');
    expect(listing).toHaveLength(kept.blobs.length + 3);
    await using source = await openOciArchive({ path }, { temporaryDirectory: tmpdir() });
    for (const { descriptor } of kept.blobs) await Array.fromAsync(await source.blob(descriptor, 0));
  });

  it('leaves an older file as it was, and nothing beside it, if it is not finished', async () => {
    await using directory = await temporaryDirectory('archive');
    const path = join(directory.path, 'x.tar');
    await writeFile(path, 'older');
    const [{ name, blobs }] = contents as [(typeof contents)[0]];
    const sink = ociArchiveSink(path, { temporaryDirectory: tmpdir(), replaces: true });
    for (const { descriptor, bytes } of blobs) await sink.putBlob(name, descriptor, opener(bytes));
    expect((await readdir(directory.path)).length).toBe(2);
    await sink[Symbol.asyncDispose]();
    expect(await readdir(directory.path)).toEqual(['x.tar']);
    expect(`${await readFile(path)}`).toBe('older');
  });

  it('can go into a pipe', async () => {
    await using directory = await temporaryDirectory('archive');
    const path = join(directory.path, 'pipe');
    await must('mkfifo', [path]);
    const reading = must('tar', ['-tf', path]);
    await write(path, [0, 1, 2]);
    expect(await reading).toContain('index.json\n');
  });
});

function never(): never {
  throw new Error('no blob');
}
