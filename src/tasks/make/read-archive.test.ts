import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buildImage, type FixtureImage, layerOf } from '../../../test/fixtures/image.ts';
import { type TarFile, tar } from '../../../test/fixtures/tar.ts';
import { type MadeArchives, madeArchives } from '../testing/made-archives.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import type { PrepulledPart } from './prepulled-parts.ts';
import { checkArchive, isImageArchive, listArchive } from './read-archive.ts';

const hello = layerOf([{ name: 'etc/' }, { name: 'etc/motd', data: 'hello' }]);
const image = buildImage({ layers: [hello] });
const other = buildImage({ layers: [hello, layerOf([{ name: 'bin/' }, { name: 'bin/tool', data: 'tool' }])] });
const HEX = 'a'.repeat(64);

/** The archive with all these images. */
async function archiveOf(
  images: Readonly<Record<string, FixtureImage>>,
  format: 'oci-archive' | 'docker-archive',
): Promise<MadeArchives> {
  const layout = await madeArchives(images);
  await layout.make('out', Object.keys(images), { format });
  return layout;
}

describe('an archive of images', () => {
  async function isOne(files: readonly TarFile[], pack: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes) {
    await using world = await temporaryWorld();
    const path = await world.file('archive', '');
    await writeFile(path, pack(tar(files)));
    return await isImageArchive(path, world.settings());
  }

  it.each([
    'blobs/sha256/x',
    './oci-layout',
    'index.json',
    'manifest.json',
    'repositories',
    `${HEX}/`,
    `${HEX}.json`,
    `${HEX}.tar`,
  ])('is recognised if it begins with %s', async (name) => {
    expect(await isOne([{ name, ...(!name.endsWith('/') && { data: '' }) }])).toBe(true);
  });

  it.each(['var/lib/containers/storage/overlay/x', 'overlay-images/images.json', 'index.json.old', `${HEX}.txt`])(
    'is not recognised if it begins with %s',
    async (name) => {
      expect(await isOne([{ name, data: '' }])).toBe(false);
    },
  );

  it('is recognised by its first file, whatever directories come before', async () => {
    expect(await isOne([{ name: 'var/' }, { name: 'index.json', data: '' }])).toBe(true);
    expect(await isOne([{ name: 'var/' }, { name: 'file', data: '' }, { name: 'index.json', data: '' }])).toBe(false);
    expect(await isOne([{ name: 'var/' }])).toBe(false);
    expect(await isOne([])).toBe(false);
  });

  it('is recognised if it is compressed; what is not an archive is reported', async () => {
    expect(await isOne([{ name: 'index.json', data: '' }], gzipSync)).toBe(true);
    await expect(isOne([], () => Buffer.from('no archive'.repeat(200)))).rejects.toMatchObject({
      code: 'TAR_INVALID',
      message: expect.stringContaining('archive'),
    });
    await using world = await temporaryWorld();
    await expect(isImageArchive(`${world.path}/nowhere`, world.settings())).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
  });
});

describe.each(['oci-archive', 'docker-archive'] as const)('what is listed of an %s', (format) => {
  it('is each image once, with all its names, its layers and their size', async () => {
    await using layout = await archiveOf({ 'quay.io/a:1': image, 'app:2': image, 'quay.io/b:1': other }, format);
    const listed = await listArchive(layout.at('out'), layout.settings);
    const sizeOf = ({ blobs }: FixtureImage) => blobs.slice(1).reduce((sum, { bytes }) => sum + bytes.length, 0);
    const expected = [
      { image, names: ['docker.io/library/app:2', 'quay.io/a:1'] },
      { image: other, names: ['quay.io/b:1'] },
    ].map((each) => ({
      id: each.image.blobs[0]?.digest.slice('sha256:'.length),
      names: each.names,
      digest: each.image.manifest.digest,
      layers: each.image.blobs.length - 1,
      size: sizeOf(each.image),
    }));
    const sorted = listed.map((each) => ({ ...each, names: each.names.toSorted() }));
    expect(sorted.toSorted((a, b) => a.layers - b.layers)).toEqual(expected);
  });
});

it('a bare tag in a layout is listed as it is', async () => {
  await using layout = await madeArchives({ latest: image });
  const manifests = [
    {
      mediaType: image.manifest.mediaType,
      digest: image.manifest.digest,
      size: image.manifest.bytes.length,
      annotations: { 'org.opencontainers.image.ref.name': 'latest' },
    },
  ];
  const blobs = [image.manifest, ...image.blobs].map(({ digest, bytes }) => ({
    name: `blobs/${digest.replace(':', '/')}`,
    data: bytes,
  }));
  const files = [
    { name: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', data: JSON.stringify({ schemaVersion: 2, manifests }) },
  ];
  await writeFile(layout.at('out'), tar([...blobs, ...files]));
  expect((await listArchive(layout.at('out'), layout.settings)).map(({ names }) => names)).toEqual([['latest']]);
});

describe('what is checked in an archive', () => {
  async function checked(layout: MadeArchives, damage: (archive: Buffer) => Buffer = (archive) => archive) {
    await writeFile(layout.at('out'), damage(await layout.bytes('out')));
    const told: PrepulledPart[] = [];
    const parts = await checkArchive(layout.at('out'), layout.settings, (part) => told.push(part));
    expect(told).toEqual(parts);
    return parts;
  }

  it('is each part of each image, reported as it is examined; a layer of two images once', async () => {
    await using layout = await archiveOf({ 'quay.io/a:1': image, 'quay.io/b:1': other }, 'oci-archive');
    const parts = await checked(layout);
    expect(parts.flatMap(({ problems }) => problems)).toEqual([]);
    const layers = parts.filter(({ what }) => what.includes('layer'));
    expect(layers.map(({ what }) => what)).toContainEqual(`quay.io/a:1: layer 1 ${hello.digest}`);
    expect(parts.some(({ what }) => what.startsWith('quay.io/b:1: config'))).toBe(true);
  });

  it('includes damage of a layer, reported for that layer', async () => {
    await using layout = await archiveOf({ 'quay.io/a:1': image }, 'oci-archive');
    const parts = await checked(layout, (archive) => {
      const at = archive.indexOf(Buffer.from(hello.bytes).subarray(20));
      archive.writeUInt8(archive.readUInt8(at) ^ 1, at);
      return archive;
    });
    const bad = parts.filter(({ problems }) => problems.length > 0);
    expect(bad.map(({ what }) => what)).toEqual([`quay.io/a:1: layer 1 ${hello.digest}`]);
    expect(bad[0]?.problems.map(({ rule }) => rule)).toEqual(bad[0]?.problems.map(() => 'layer'));
  });

  it('includes a manifest that cannot be read; the next image is still checked', async () => {
    await using layout = await archiveOf({ 'quay.io/a:1': image, 'quay.io/b:1': other }, 'oci-archive');
    const parts = await checked(layout, (archive) => {
      const at = archive.indexOf(Buffer.from(image.manifest.bytes));
      archive.write('X', at);
      return archive;
    });
    const bad = parts.filter(({ problems }) => problems.length > 0);
    expect(bad).toEqual([
      { what: 'quay.io/a:1: manifest', problems: [{ rule: 'manifest', text: expect.any(String) }] },
    ]);
    expect(parts.some(({ what }) => what.startsWith('quay.io/b:1: layer'))).toBe(true);
  });

  it('ends with a signal', async () => {
    await using layout = await archiveOf({ 'quay.io/a:1': image }, 'oci-archive');
    const end = new AbortController();
    const settings = { ...layout.settings, signal: end.signal };
    const checking = checkArchive(layout.at('out'), settings, () => end.abort(new Error('enough')));
    await expect(checking).rejects.toThrow('enough');
  });
});
