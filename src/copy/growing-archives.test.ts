import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buildImage, layerOf, randomLayer, sha256 } from '../../test/fixtures/image.ts';
import { tar } from '../../test/fixtures/tar.ts';
import { must } from '../../test/peers/process.ts';
import { quickDirectory } from '../../test/peers/temporary.ts';
import { decodeManifest } from '../oci/manifest.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import { ociArchiveSink } from '../transports/archive/oci-archive-sink.ts';
import { openOciArchive } from '../transports/archive/oci-archive-source.ts';
import type { ImageSink, ImageSource } from '../transports/contract.ts';
import { dockerArchiveSink } from '../transports/docker-archive/docker-archive-sink.ts';
import { openDockerArchiveImage } from '../transports/docker-archive/docker-archive-source.ts';
import { registrySource } from '../transports/registry-source.ts';
import { executePlan } from './execute.ts';
import { planCopy } from './plan.ts';
import { copyOne } from './testing/file-transports.ts';
import { type MadeImage, makeBlob, makeImage, push } from './testing/images.ts';
import { memoryRegistry } from './testing/memory-registry.ts';

const shared = makeBlob(layerOf([{ name: 'shared', data: 'shared' }]).bytes);
const [one, two, three] = ['one', 'two', 'three'].map((name) =>
  makeImage({ layers: [shared, makeBlob(randomLayer(name, 20_000).bytes)] }),
) as [MadeImage, MadeImage, MadeImage];

const KINDS = {
  'oci-archive': {
    sink: (path: string, replaces = false): ImageSink =>
      ociArchiveSink(path, { temporaryDirectory: tmpdir(), replaces }),
    source: (path: string, name: string) => openOciArchive({ path, ref: name }, { temporaryDirectory: tmpdir() }),
  },
  'docker-archive': {
    sink: (path: string, replaces = false): ImageSink =>
      dockerArchiveSink(path, { temporaryDirectory: tmpdir(), replaces }),
    source: (path: string, name: string) =>
      openDockerArchiveImage(path, { reference: parseReference(name) }, { temporaryDirectory: tmpdir() }),
  },
} as const;

async function sourceOf(image: MadeImage): Promise<ImageSource> {
  const registry = memoryRegistry();
  await push(registry, 'x:1', image);
  return registrySource(registry, { path: 'x', tag: '1' });
}

async function expectWhole(opening: Promise<ImageSource>, image: MadeImage): Promise<void> {
  await using source = await opening;
  const root = await source.root();
  expect(root.digest).toBe(image.manifest.digest);
  const manifest = decodeManifest(root);
  if (manifest.kind !== 'image') throw new Error('no image');
  for (const blob of [manifest.config, ...manifest.layers]) {
    expect(sha256(Buffer.concat(await Array.fromAsync(await source.blob(blob, 0))))).toBe(blob.digest);
  }
}

describe.each(['oci-archive', 'docker-archive'] as const)('an %s that exists', (kind) => {
  const { sink, source } = KINDS[kind];
  const [A, B, C] = ['quay.io/x/one:1', 'quay.io/x/two:1', 'docker.io/library/three:latest'] as const;
  const put = async (path: string, name: string, image: MadeImage) =>
    copyOne(await sourceOf(image), sink(path), { name: parseReference(name) });

  it('keeps its other images, shares their layers, and gives the same bytes however the images came', async () => {
    await using directory = await quickDirectory('growing');
    const at = (name: string) => join(directory.path, name);
    await put(at('a'), A, one);
    const second = await put(at('a'), B, two);
    expect(second.alreadyThere).toBe(shared.descriptor.size);
    await put(at('a'), C, three);
    for (const [name, image] of [
      [A, one],
      [B, two],
      [C, three],
    ] as const)
      await expectWhole(source(at('a'), name), image);

    for (const [name, image] of [
      [C, three],
      [A, one],
      [B, two],
    ] as const)
      await put(at('b'), name, image);
    const together = sink(at('c'));
    const images = [
      [A, one],
      [B, two],
      [C, three],
    ] as const;
    const named = await Promise.all(
      images.map(async ([name, image]) => ({ name: parseReference(name), source: await sourceOf(image) })),
    );
    await executePlan(await planCopy(named, together, { platforms: 'all' }), together);
    await together[Symbol.asyncDispose]();
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => readFile(at(name))));
    expect(b?.equals(a ?? Buffer.alloc(0))).toBe(true);
    expect(c?.equals(a ?? Buffer.alloc(0))).toBe(true);
    expect((await readdir(directory.path)).sort()).toEqual(['a', 'b', 'c']);
  });

  it('moves a name to another image, of whose old one nothing stays', async () => {
    await using directory = await quickDirectory('growing');
    const [path, fresh] = [join(directory.path, 'a'), join(directory.path, 'fresh')];
    await put(path, A, one);
    await put(path, B, two);
    await put(path, A, three);
    await expectWhole(source(path, A), three);
    await put(fresh, A, three);
    await put(fresh, B, two);
    expect((await readFile(path)).equals(await readFile(fresh))).toBe(true);
  });

  it('keeps all images that several copies put into it at once', async () => {
    await using directory = await quickDirectory('growing');
    const path = join(directory.path, 'a');
    const images = Array.from({ length: 6 }, (_, at) => [`quay.io/x/app${at}:1`, [one, two, three][at % 3]] as const);
    await Promise.all(images.map(([name, image]) => put(path, name, image as MadeImage)));
    for (const [name, image] of images) await expectWhole(source(path, name), image as MadeImage);
    expect(await readdir(directory.path)).toEqual(['a']);
  });

  it('keeps its mode, and is found through a link that stays', async () => {
    await using directory = await quickDirectory('growing');
    const [path, link] = [join(directory.path, 'a'), join(directory.path, 'link')];
    await put(path, A, one);
    await chmod(path, 0o600);
    await symlink('a', link);
    await put(link, B, two);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expectWhole(source(path, B), two);
    await expectWhole(source(path, A), one);
  });

  it('may be empty, and is replaced where that is asked for', async () => {
    await using directory = await quickDirectory('growing');
    const path = join(directory.path, 'a');
    await writeFile(path, '');
    await put(path, A, one);
    await expectWhole(source(path, A), one);
    await writeFile(path, 'anything');
    await copyOne(await sourceOf(two), sink(path, true), { name: parseReference(B) });
    await expectWhole(source(path, B), two);
  });

  it('stays as it is where it is damaged, or something else', async () => {
    await using directory = await quickDirectory('growing');
    const path = join(directory.path, 'a');
    await put(path, A, one);
    const whole = await readFile(path);
    const flipped = Buffer.from(whole);
    const at = whole.indexOf(Buffer.from(one.blobs[2]?.bytes.subarray(0, 100) ?? [])) + 50;
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    const extra = tar([{ name: 'notes.txt', data: 'mine' }]).subarray(0, 1024);
    const cases: readonly (readonly [string, Uint8Array])[] = [
      ['text', Buffer.from('not an archive, but a long enough text of somebody who wants it kept\n'.repeat(20))],
      ['cut', whole.subarray(0, whole.length - 3000)],
      ['compressed', gzipSync(whole)],
      ['flipped', flipped],
      ['other files', Buffer.concat([extra, whole])],
      ['only files', tar([{ name: 'a', data: 'a' }])],
      [
        'linked',
        tar([
          { name: 'index.json', data: '{"schemaVersion":2}' },
          { name: 'manifest.json', data: '[]' },
          { name: 'x', link: 'y' },
        ]),
      ],
      [
        'no list',
        tar([
          { name: 'index.json', data: '{"manifests":7}' },
          { name: 'manifest.json', data: '[]' },
        ]),
      ],
    ];
    for (const [what, bytes] of cases) {
      await writeFile(path, bytes);
      await expect(put(path, B, two), what).rejects.toMatchObject({
        code: 'LOCATION_INVALID',
        message: expect.stringContaining('no image can be added to what is there'),
        hint: expect.stringContaining('stays as it is'),
      });
      expect((await readFile(path)).equals(bytes), what).toBe(true);
      expect(await readdir(directory.path), what).toEqual(['a']);
    }
  });
});

describe('an oci-archive of another tool', () => {
  it('keeps what is not understood: fields, annotations, manifests of other kinds', async () => {
    await using directory = await quickDirectory('growing');
    const [layout, path] = [join(directory.path, 'layout'), join(directory.path, 'a')];
    await must('mkdir', ['-p', join(layout, 'blobs/sha256')]);
    const odd = Buffer.from(JSON.stringify({ schemaVersion: 1, name: 'odd' }));
    const blob = Buffer.from('what nobody here knows');
    for (const bytes of [odd, blob]) await writeFile(join(layout, 'blobs', sha256(bytes).replace(':', '/')), bytes);
    const entry = {
      mediaType: 'application/vnd.docker.distribution.manifest.v1+json',
      digest: sha256(odd),
      size: odd.length,
      annotations: { 'org.opencontainers.image.ref.name': 'odd', other: 'x' },
      extra: { field: true },
    };
    const index = { schemaVersion: 2, annotations: { made: 'elsewhere' }, manifests: [entry] };
    await writeFile(join(layout, 'index.json'), JSON.stringify(index));
    await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion": "1.0.0"}\n');
    await must('tar', ['-cf', path, '-C', layout, '.']);
    await copyOne(await sourceOf(one), ociArchiveSink(path, { temporaryDirectory: tmpdir() }), {
      name: parseReference('quay.io/x/one:1'),
    });
    await expectWhole(openOciArchive({ path, ref: 'quay.io/x/one:1' }, { temporaryDirectory: tmpdir() }), one);
    const read = async (file: string) => await must('tar', ['-xOf', path, file]);
    const now = JSON.parse(await read('index.json'));
    expect(now).toMatchObject({ annotations: { made: 'elsewhere' } });
    expect(now.manifests).toContainEqual(entry);
    for (const bytes of [odd, blob]) expect(await read(`blobs/${sha256(bytes).replace(':', '/')}`)).toBe(`${bytes}`);
  });
});

describe('a docker-archive of another tool', () => {
  it('keeps its images under their names, also short ones, except names that the new image takes', async () => {
    await using directory = await quickDirectory('growing');
    const path = join(directory.path, 'a');
    const image = buildImage({ layers: [layerOf([{ name: 'a', data: 'a' }])] });
    const blobPath = (digest = '') => `blobs/${digest.replace(':', '/')}`;
    const [config, layer] = image.blobs;
    const item = { Config: blobPath(config?.digest), Layers: [blobPath(layer?.digest)] };
    const digest = image.manifest.digest;
    const entry = { mediaType: image.manifest.mediaType, digest, size: image.manifest.bytes.length };
    const files = [...image.blobs, image.manifest].map(({ digest: of, bytes }) => ({
      name: blobPath(of),
      data: bytes,
    }));
    const write = (tags: readonly string[]) =>
      writeFile(
        path,
        tar([
          ...files,
          { name: 'index.json', data: JSON.stringify({ schemaVersion: 2, manifests: [entry] }) },
          { name: 'manifest.json', data: JSON.stringify([{ ...item, RepoTags: tags }]) },
        ]),
      );
    const tagsNow = async () => {
      const items: readonly { readonly RepoTags: readonly string[] }[] = JSON.parse(
        await must('tar', ['-xOf', path, 'manifest.json']),
      );
      return items.map(({ RepoTags }) => RepoTags);
    };
    const put = async (name: string) =>
      copyOne(await sourceOf(one), dockerArchiveSink(path, { temporaryDirectory: tmpdir() }), {
        name: parseReference(name),
      });
    await write(['app:1', 'team/app:2']);
    await put('quay.io/x/one:1');
    expect(await tagsNow()).toEqual([['app:1', 'team/app:2'], ['quay.io/x/one:1']]);
    await put(formatReference(parseReference('docker.io/library/app:1')));
    expect(await tagsNow()).toEqual([['docker.io/library/app:1', 'quay.io/x/one:1'], ['team/app:2']]);
    const { source } = KINDS['docker-archive'];
    await expectWhole(source(path, 'app:1'), one);
    await using other = await source(path, 'team/app:2');
    expect((await other.root()).digest).toBe(digest);
  });

  it('is not added to where its images are not blobs: as older tools save them', async () => {
    await using directory = await quickDirectory('growing');
    const path = join(directory.path, 'a');
    const bytes = tar([
      { name: 'c.json', data: '{}' },
      { name: 'manifest.json', data: JSON.stringify([{ Config: 'c.json', RepoTags: ['app:1'], Layers: [] }]) },
    ]);
    await writeFile(path, bytes);
    const copying = copyOne(await sourceOf(one), dockerArchiveSink(path, { temporaryDirectory: tmpdir() }), {
      name: parseReference('x:1'),
    });
    await expect(copying).rejects.toMatchObject({
      code: 'LOCATION_INVALID',
      message: expect.stringContaining('c.json'),
    });
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });
});
