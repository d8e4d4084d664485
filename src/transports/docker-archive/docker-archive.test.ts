import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Blob, blobOf, bytesOf, collect, manifestOf, opener } from '../../../test/contract/content.ts';
import { imageContent, indexContent } from '../../../test/contract/named-content.ts';
import { sha256 } from '../../../test/fixtures/image.ts';
import { type TarFile, tar } from '../../../test/fixtures/tar.ts';
import { must } from '../../../test/peers/process.ts';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { decodeConfig } from '../../oci/config.ts';
import { type Digest, digestHex, digestOf } from '../../oci/digest.ts';
import { decodeManifest, type ImageManifest, manifestDescriptor } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_LAYER_ZSTD, OCI_MANIFEST } from '../../oci/media-types.ts';
import { parseReference } from '../../oci/reference.ts';
import { openOciArchive } from '../archive/oci-archive-source.ts';
import type { ImageSource } from '../contract.ts';
import { ociSource } from '../layout/layout-source.ts';
import { dockerArchiveSink } from './docker-archive-sink.ts';
import { openDockerArchive, openDockerArchiveImage } from './docker-archive-source.ts';
import { planDockerArchive } from './docker-archive-stream.ts';

const layers = ['base', 'middle', 'top'].map((name) => Buffer.from(tar([{ name: `${name}.txt`, data: name }])));
const ids = layers.map((_, at) => digestHex(digestOf(Buffer.from(`${at}`))));

function configOf(diffIds: readonly string[], more: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', ...more, rootfs: { type: 'layers', diff_ids: diffIds } }),
  );
}

interface Archive extends AsyncDisposable {
  readonly path: string;
}

async function archiveOf(files: readonly TarFile[]): Promise<Archive> {
  const directory = await temporaryDirectory('docker-archive');
  const path = join(directory.path, 'image.tar');
  await writeFile(path, tar(files));
  return { path, [Symbol.asyncDispose]: directory[Symbol.asyncDispose] };
}

/** The files of an image as saved by Docker 1.10 to 24. */
function savedFiles(name: string, stored: readonly Buffer[], config: Buffer): readonly TarFile[] {
  const item = {
    Config: `${digestHex(digestOf(config))}.json`,
    RepoTags: [name],
    Layers: stored.map((_, at) => `${ids[at]}/layer.tar`),
  };
  return [
    { name: item.Config, data: config },
    ...stored.flatMap((layer, at) => [
      { name: `${ids[at]}/` },
      { name: `${ids[at]}/VERSION`, data: '1.0' },
      { name: `${ids[at]}/layer.tar`, data: layer },
    ]),
    { name: 'manifest.json', data: JSON.stringify([item]) },
  ];
}

async function readImage(source: ImageSource): Promise<{ manifest: ImageManifest; contents: readonly Buffer[] }> {
  const manifest = decodeManifest(await source.root());
  if (manifest.kind !== 'image') throw new Error('no image');
  const read = async (at: number) => collect(await source.blob(manifest.layers[at] ?? manifest.config, 0));
  return { manifest, contents: await Promise.all(manifest.layers.map((_, at) => read(at))) };
}

describe('the error about a docker-archive whose list names what cannot be read', () => {
  const [base, top] = layers as [Buffer, Buffer];
  const config = configOf([base, top].map(sha256));
  const rest = savedFiles('app:1', [base, top], config);

  it.each([
    [{ link: '../target.tar' }, `it is a link to target.tar, which is not there`],
    [{ link: 'nowhere.tar' }, `it is a link to ${ids[0]}/nowhere.tar, which is not there`],
    [{ link: '/nowhere.tar' }, 'it is a link to nowhere.tar, which is not there'],
    [{ link: '../../../layer.tar' }, /it is a link to .*\.\.\/layer\.tar, which is not there/],
    [{ link: 'layer.tar' }, 'it is a link that leads in a circle'],
    [{ link: '.' }, 'which is a directory'],
  ] as const)('says where a link leads: %j', async (entry, expected) => {
    const path = `${ids[0]}/layer.tar`;
    await using archive = await archiveOf(rest.map((file) => (file.name === path ? { name: path, ...entry } : file)));
    await using source = await openDockerArchiveImage(archive.path, {}, { temporaryDirectory: tmpdir() });
    await expect(source.root()).rejects.toMatchObject({ code: 'BLOB_UNKNOWN', message: expect.stringContaining(path) });
    await expect(source.root()).rejects.toThrow(expected);
  });

  it('says that a name is a directory, or empty', async () => {
    const path = `${ids[0]}/layer.tar`;
    for (const [name, expected] of [
      ['', 'lacks a file that its list names "": the name is empty'],
      [`${ids[0]}`, 'it is a directory'],
    ]) {
      const list = rest.map((file) =>
        file.name === 'manifest.json' ? { ...file, data: `${file.data}`.replace(path, name ?? '') } : file,
      );
      await using archive = await archiveOf(list);
      await using source = await openDockerArchiveImage(archive.path, {}, { temporaryDirectory: tmpdir() });
      await expect(source.root()).rejects.toThrow(expected);
    }
  });

  it('is the same for a layout in an archive', async () => {
    const { root, blobs } = imageContent('linked');
    const files = [root, ...blobs.map(({ descriptor, bytes }) => ({ ...descriptor, bytes }))].map(
      ({ digest, bytes }) => ({
        name: `blobs/sha256/${digestHex(digest)}`,
        data: Buffer.from(bytes),
      }),
    );
    const top = files.at(-1)?.name ?? '';
    await using archive = await archiveOf([
      ...files.slice(0, -1),
      { name: top, link: 'gone' },
      { name: 'index.json', data: JSON.stringify({ schemaVersion: 2, manifests: [manifestDescriptor(root)] }) },
    ]);
    await using source = await openOciArchive({ path: archive.path }, { temporaryDirectory: tmpdir() });
    const layer = blobs.at(-1)?.descriptor ?? manifestDescriptor(root);
    await expect(source.blob(layer, 0)).rejects.toThrow('it is a link to blobs/sha256/gone, which is not there');
  });
});

describe('a docker-archive that describes an image twice', () => {
  const named = (list: readonly Buffer[]) => list.map((layer) => `blobs/sha256/${digestHex(digestOf(layer))}`);
  const [base, top, other] = layers as [Buffer, Buffer, Buffer];

  /** An archive whose manifest.json lists two layers, and whose OCI manifest lists `inManifest`. */
  async function twice(inManifest: readonly Buffer[] | null): Promise<Archive> {
    const config = blobOf(configOf([base, top].map(sha256)), OCI_CONFIG);
    const blobs = [base, top, other].map((layer) => blobOf(layer, OCI_LAYER));
    const found = inManifest?.map((layer) => blobs.find(({ bytes }) => bytes === layer)?.descriptor) ?? null;
    const manifest = manifestOf({ mediaType: OCI_MANIFEST, config: config.descriptor, layers: found });
    const all = [...[config, ...blobs].map(({ bytes }) => bytes), manifest.bytes].map((bytes) => Buffer.from(bytes));
    const item = { Config: named([config.bytes])[0], RepoTags: ['app:1'], Layers: named([base, top]) };
    return await archiveOf([
      ...all.map((data) => ({ name: named([data])[0] ?? '', data })),
      { name: 'index.json', data: JSON.stringify({ schemaVersion: 2, manifests: [manifestDescriptor(manifest)] }) },
      { name: 'manifest.json', data: JSON.stringify([item]) },
    ]);
  }

  it('gives it if both descriptions agree', async () => {
    await using archive = await twice([base, top]);
    await using source = await openDockerArchiveImage(archive.path, {}, { temporaryDirectory: tmpdir() });
    expect((await readImage(source)).contents).toEqual([base, top]);
  });

  it.each([
    ['none', null, '2 layers in manifest.json, 0 in the manifest beside it'],
    ['fewer', [base], '2 layers in manifest.json, 1 in the manifest beside it'],
    ['another', [base, other], 'other layers in each'],
    ['the same in another order', [top, base], 'other layers in each'],
  ])('refuses it if the manifest has %s', async (_, inManifest, expected) => {
    await using archive = await twice(inManifest);
    const refusal = openDockerArchiveImage(archive.path, {}, { temporaryDirectory: tmpdir() });
    await expect(refusal).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
      message: expect.stringContaining(expected),
    });
    await expect(refusal).rejects.toThrow('app:1');
  });
});

describe('a docker-archive as Docker saved it', () => {
  it('gives a manifest of its layers as they are', async () => {
    const config = configOf(layers.map(sha256));
    await using archive = await archiveOf(savedFiles('app:1', layers, config));
    await using source = await openDockerArchiveImage(archive.path, {}, { temporaryDirectory: tmpdir() });
    const { manifest, contents } = await readImage(source);
    expect(manifest.config).toMatchObject({ digest: digestOf(config), size: config.length });
    expect(manifest.layers).toEqual(
      layers.map((layer) => ({ mediaType: OCI_LAYER, digest: digestOf(layer), size: layer.length })),
    );
    expect(Buffer.compare(Buffer.concat(contents), Buffer.concat(layers))).toBe(0);
    expect(await collect(await source.blob(manifest.config, 0))).toEqual(config);
  });

  it('takes layers that are links to others', async () => {
    const twice = [layers[0], layers[1], layers[0]] as readonly Buffer[];
    const config = configOf(twice.map(sha256));
    const files = savedFiles('app:1', twice, config).map((file) =>
      file.name === `${ids[2]}/layer.tar` ? { name: file.name, link: `../${ids[0]}/layer.tar` } : file,
    );
    await using archive = await archiveOf(files);
    await using source = await openDockerArchiveImage(archive.path, {}, { temporaryDirectory: tmpdir() });
    const { manifest, contents } = await readImage(source);
    expect(manifest.layers[2]).toEqual(manifest.layers[0]);
    expect(contents[2]).toEqual(twice[2]);
  });

  it('keeps gzip and zstd layers; unpacks what registries do not know', async () => {
    await using directory = await temporaryDirectory('docker-archive');
    const packed = async (command: string, bytes: Buffer) => {
      const file = join(directory.path, 'layer');
      await writeFile(file, bytes);
      await must(command, ['-f', file]);
      return readFile(`${file}.${command === 'xz' ? 'xz' : 'bz2'}`);
    };
    const [base, middle, top] = layers as [Buffer, Buffer, Buffer];
    const other = Buffer.from(tar([{ name: 'other', data: 'other' }]));
    const stored = [gzipSync(base), zstdCompressSync(middle), await packed('xz', top)];
    const config = configOf([base, middle, top].map(sha256));
    await using archive = await archiveOf(savedFiles('app:1', stored, config));
    await using source = await openDockerArchiveImage(archive.path, {}, { temporaryDirectory: tmpdir() });
    const { manifest, contents } = await readImage(source);
    expect(manifest.layers.map(({ mediaType }) => mediaType.split('.').at(-1))).toEqual([
      'tar+gzip',
      'tar+zstd',
      'tar',
    ]);
    expect(contents).toEqual([stored[0], stored[1], top]);
    const rest = await collect(await source.blob(manifest.layers[2] ?? manifest.config, 1000));
    expect(rest).toEqual(top.subarray(1000));

    await using bzip2 = await archiveOf(savedFiles('app:1', [await packed('bzip2', other)], configOf([sha256(other)])));
    await using second = await openDockerArchiveImage(bzip2.path, {}, { temporaryDirectory: tmpdir() });
    expect((await readImage(second)).contents).toEqual([other]);
  });

  it('finds images by name, as Docker completes it, and by index; lists them if the name is ambiguous', async () => {
    const one = savedFiles('docker.io/library/app:1', layers.slice(0, 1), configOf(layers.slice(0, 1).map(sha256)));
    const config = configOf(layers.slice(0, 1).map(sha256), { author: 'x' });
    const two = { Config: 'two.json', RepoTags: ['quay.io/x/two:latest', 'two:2'], Layers: [`${ids[0]}/layer.tar`] };
    const [item] = JSON.parse(`${one.at(-1)?.data}`) as [object];
    await using file = await archiveOf([
      ...one.slice(0, -1),
      { name: 'two.json', data: config },
      { name: 'manifest.json', data: JSON.stringify([item, two]) },
    ]);
    await using archive = await openDockerArchive(file.path, { temporaryDirectory: tmpdir() });
    expect(archive.images.map(({ names }) => names)).toEqual([['docker.io/library/app:1'], two.RepoTags]);
    const digest = async (text: string) => {
      const { config: found } = (await readImage(archive.source({ reference: parseReference(text) }))).manifest;
      return found.digest;
    };
    expect(await digest('quay.io/x/two')).toBe(digestOf(config));
    expect(await digest('docker.io/library/two:2')).toBe(digestOf(config));
    expect(await digest('app:1')).not.toBe(digestOf(config));
    expect((await readImage(archive.source({ index: 1 }))).manifest.config.digest).toBe(digestOf(config));
    for (const wanted of [{}, { index: 2 }, { reference: parseReference('app:2') }]) {
      const refusal = await (async () => archive.source(wanted))().catch((error: unknown) => error);
      expect(refusal).toMatchObject({
        code: 'MANIFEST_UNKNOWN',
        hint: 'It has docker.io/library/app:1, quay.io/x/two:latest, two:2.',
      });
    }
  });

  it('is refused in one line if it is damaged', async () => {
    const config = configOf(layers.map(sha256));
    const good = savedFiles('app:1', layers, config);
    const failure = async (files: readonly TarFile[]) => {
      await using archive = await archiveOf(files);
      try {
        await using source = await openDockerArchiveImage(archive.path, {}, { temporaryDirectory: tmpdir() });
        return await readImage(source);
      } catch (error) {
        return error;
      }
    };
    const replaced = (name: string, data: Buffer | string) =>
      good.map((file) => (file.name === name ? { name, data } : file));
    const configFile = `${digestHex(digestOf(config))}.json`;
    const cases: readonly [readonly TarFile[], string][] = [
      [good.filter(({ name }) => name !== `${ids[1]}/layer.tar`), 'BLOB_UNKNOWN'],
      [good.filter(({ name }) => name !== configFile), 'BLOB_UNKNOWN'],
      [replaced(`${ids[1]}/layer.tar`, bytesOf('other', 2048)), 'DIGEST_INVALID'],
      [replaced(configFile, '{}'), 'DIGEST_INVALID'],
      [replaced('manifest.json', '[{"Config":1}]'), 'MANIFEST_INVALID'],
      [replaced('manifest.json', 'nothing'), 'MANIFEST_INVALID'],
      [savedFiles('app:1', layers.slice(1), config), 'MANIFEST_INVALID'],
      [[{ name: 'etc/passwd', data: 'root' }], 'LOCATION_INVALID'],
      [[], 'LOCATION_INVALID'],
    ];
    for (const [files, code] of cases) expect(await failure(files)).toMatchObject({ code });
  });
});

describe('a docker-archive with a layout inside', () => {
  it('gives an index of which one image is there, found by each of its names', async () => {
    const content = indexContent('sparse');
    const [child] = content.children;
    const [config, ...stored] = content.blobs.slice(0, 3) as [Blob, ...Blob[]];
    const blob = (digest: Digest) => `blobs/sha256/${digestHex(digest)}`;
    const entry = (full: string) => ({
      ...manifestDescriptor(content.root),
      annotations: { 'io.containerd.image.name': full, 'org.opencontainers.image.ref.name': '1' },
    });
    const index = { schemaVersion: 2, manifests: [entry('docker.io/library/app:1'), entry('quay.io/x/app:1')] };
    const item = {
      Config: blob(config.descriptor.digest),
      RepoTags: ['app:1', 'quay.io/x/app:1'],
      Layers: stored.map(({ descriptor }) => blob(descriptor.digest)),
    };
    await using file = await archiveOf([
      { name: 'index.json', data: JSON.stringify(index) },
      { name: 'manifest.json', data: JSON.stringify([item]) },
      ...[content.root, child ?? content.root].map(({ digest, bytes }) => ({ name: blob(digest), data: bytes })),
      ...[config, ...stored].map(({ descriptor, bytes }) => ({ name: blob(descriptor.digest), data: bytes })),
    ]);
    await using archive = await openDockerArchive(file.path, { temporaryDirectory: tmpdir() });
    expect(archive.images).toHaveLength(1);
    for (const text of ['app:1', 'docker.io/library/app:1', 'quay.io/x/app:1']) {
      const source = archive.source({ reference: parseReference(text) });
      expect((await source.root()).digest).toBe(content.root.digest);
    }
  });

  it('gives images by manifest.json if the layout lacks parts of them', async () => {
    const content = imageContent('half');
    const files = savedFiles('app:1', layers, configOf(layers.map(sha256)));
    const index = { schemaVersion: 2, manifests: [manifestDescriptor(content.root)] };
    await using file = await archiveOf([
      ...files,
      { name: 'index.json', data: JSON.stringify(index) },
      { name: `blobs/sha256/${digestHex(content.root.digest)}`, data: content.root.bytes },
    ]);
    await using source = await openDockerArchiveImage(file.path, {}, { temporaryDirectory: tmpdir() });
    expect((await readImage(source)).contents).toEqual(layers);
  });
});

describe('a docker-archive from before Docker 1.10', () => {
  const json = (at: number, more: object = {}) =>
    JSON.stringify({
      id: ids[at],
      ...(at > 0 && { parent: ids[at - 1] }),
      created: `2015-01-0${at + 1}T00:00:00Z`,
      container_config: { Cmd: ['/bin/sh', '-c', `step ${at}`] },
      ...more,
    });
  const top = { config: { Cmd: ['/run'] }, architecture: 'amd64', os: 'linux', Size: 5 };
  const files: readonly TarFile[] = layers.flatMap((layer, at) => [
    { name: `${ids[at]}/json`, data: json(at, at === 2 ? top : {}) },
    { name: `${ids[at]}/layer.tar`, data: layer },
  ]);

  it('gives a config made of the layers’ own configs', async () => {
    const repositories = JSON.stringify({ 'quay.io/old/app': { '1': ids[2], '2': ids[2] }, base: { latest: ids[0] } });
    await using file = await archiveOf([...files, { name: 'repositories', data: repositories }]);
    await using archive = await openDockerArchive(file.path, { temporaryDirectory: tmpdir() });
    const source = archive.source({ reference: parseReference('quay.io/old/app:2') });
    const { manifest, contents } = await readImage(source);
    expect(contents).toEqual(layers);
    const bytes = await collect(await source.blob(manifest.config, 0));
    const config = decodeConfig(bytes);
    expect(config.diffIds).toEqual(layers.map(sha256));
    expect(config.platform).toEqual({ os: 'linux', architecture: 'amd64' });
    expect(config.history.map(({ created_by }) => created_by)).toEqual([
      '/bin/sh -c step 0',
      '/bin/sh -c step 1',
      '/bin/sh -c step 2',
    ]);
    const fields = JSON.parse(`${bytes}`) as Record<string, unknown>;
    expect(fields).toMatchObject({ config: { Cmd: ['/run'] } });
    expect(Object.keys(fields)).not.toContain('parent');
    expect((await readImage(archive.source({ reference: parseReference('base') }))).contents).toEqual([layers[0]]);
  });

  it('is read without names too', async () => {
    await using file = await archiveOf(files);
    await using source = await openDockerArchiveImage(file.path, {}, { temporaryDirectory: tmpdir() });
    expect((await readImage(source)).contents).toEqual(layers);
  });

  it('refuses parents without end', async () => {
    const circle = [
      { name: `${ids[0]}/json`, data: json(0, { parent: ids[1] }) },
      { name: `${ids[1]}/json`, data: json(1) },
      { name: 'repositories', data: JSON.stringify({ x: { '1': ids[1] } }) },
    ];
    await using file = await archiveOf(circle);
    await using source = await openDockerArchiveImage(file.path, {}, { temporaryDirectory: tmpdir() });
    await expect(source.root()).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  });
});

describe('an archive of docker-archives', () => {
  const file = 'quay.io/x/app:1';
  const config = configOf([sha256(layers[0] as Buffer)]);
  const saved = Buffer.from(tar(savedFiles('app:1', layers.slice(0, 1), config)));

  it('has the images of all of them', async () => {
    const second = { name: 'quay.io/x/other:1', data: saved };
    await using path = await archiveOf([{ name: file, data: saved }, second]);
    await using archive = await openDockerArchive(path.path, { temporaryDirectory: tmpdir() });
    expect(archive.images.map(({ names }) => names)).toEqual([['app:1'], ['app:1']]);
  });

  it('has no images of an archive that is nested deeper', async () => {
    const inner = Buffer.from(tar([{ name: file, data: saved }]));
    await using path = await archiveOf([{ name: file, data: inner }]);
    await expect(openDockerArchive(path.path, { temporaryDirectory: tmpdir() })).rejects.toMatchObject({
      code: 'LOCATION_INVALID',
    });
  });
});

describe('a docker-archive that is written', () => {
  const plain = layers[0] as Buffer;
  const zstd = blobOf(zstdCompressSync(plain), OCI_LAYER_ZSTD);
  const gzip = blobOf(gzipSync(layers[1] as Buffer));
  const lying = blobOf(zstdCompressSync(layers[2] as Buffer));
  const name = parseReference('quay.io/x/app:1');

  function imageOf(stored: readonly Blob[], diffIds: readonly string[]) {
    const config = blobOf(configOf(diffIds), OCI_CONFIG);
    const manifest = manifestOf({
      mediaType: OCI_MANIFEST,
      config: config.descriptor,
      layers: stored.map(({ descriptor }) => descriptor),
    });
    return { manifest, blobs: [config, ...stored] };
  }

  it('has zstd layers unpacked, whatever their type says, and all else as it is', async () => {
    await using directory = await temporaryDirectory('docker-archive');
    const path = join(directory.path, 'x.tar');
    const image = imageOf([zstd, gzip, lying], layers.map(sha256));
    await using sink = dockerArchiveSink(path, { temporaryDirectory: directory.path });
    await sink.missing(
      name,
      image.blobs.map(({ descriptor }) => descriptor),
    );
    await Promise.all(image.blobs.map((blob) => sink.putBlob(name, blob.descriptor, opener(blob.bytes))));
    await sink.commit(name, image.manifest);
    await sink.finish();
    await using source = await openDockerArchiveImage(path, { reference: name }, { temporaryDirectory: tmpdir() });
    const { manifest, contents } = await readImage(source);
    expect(manifest.layers).toEqual([
      { mediaType: OCI_LAYER, digest: digestOf(plain), size: plain.length },
      gzip.descriptor,
      { mediaType: OCI_LAYER, digest: digestOf(layers[2] as Buffer), size: (layers[2] as Buffer).length },
    ]);
    expect(contents).toEqual([plain, gzip.bytes, layers[2]]);
    const listed = JSON.parse(await must('tar', ['-xOf', path, 'manifest.json'])) as unknown;
    expect(listed).toEqual([
      {
        Config: `blobs/sha256/${digestHex(manifest.config.digest)}`,
        RepoTags: ['quay.io/x/app:1'],
        Layers: manifest.layers.map(({ digest }) => `blobs/sha256/${digestHex(digest)}`),
      },
    ]);
    expect((await must('tar', ['-tf', path])).trim().split('\n')).toHaveLength(3 + 1 + 1 + 4);
  });

  it('has full names wherever a reader looks, also of images with short names', async () => {
    await using directory = await temporaryDirectory('docker-archive');
    const path = join(directory.path, 'x.tar');
    const image = imageOf([gzip], [sha256(layers[1] as Buffer)]);
    await using sink = dockerArchiveSink(path, { temporaryDirectory: tmpdir() });
    const short = parseReference('x/app');
    for (const blob of image.blobs) await sink.putBlob(short, blob.descriptor, opener(blob.bytes));
    await sink.commit(short, image.manifest);
    await sink.finish();
    const [index, listed] = await Promise.all(
      ['index.json', 'manifest.json'].map(async (file) => JSON.parse(await must('tar', ['-xOf', path, file]))),
    );
    expect(index).toMatchObject({
      manifests: [{ annotations: { 'io.containerd.image.name': 'docker.io/x/app:latest' } }],
    });
    expect(listed).toMatchObject([{ RepoTags: ['docker.io/x/app:latest'] }]);
  });

  it('can be a stream of known length, with the same bytes', async () => {
    await using directory = await temporaryDirectory('docker-archive');
    const path = join(directory.path, 'x.tar');
    const image = imageOf([zstd, gzip], layers.slice(0, 2).map(sha256));
    const other = imageContent('other');
    await using sink = dockerArchiveSink(path, { temporaryDirectory: tmpdir() });
    const all = [
      { name, root: image.manifest, blobs: image.blobs },
      { name: other.name, root: other.root, blobs: other.blobs },
    ];
    for (const one of all) {
      await sink.missing(
        one.name,
        one.blobs.map(({ descriptor }) => descriptor),
      );
    }
    for (const one of all.toReversed()) {
      for (const blob of one.blobs) await sink.putBlob(one.name, blob.descriptor, opener(blob.bytes));
      await sink.commit(one.name, one.root);
    }
    await sink.finish();

    const bytesOfBlob = (digest: Digest) =>
      all.flatMap(({ blobs }) => blobs).find(({ descriptor }) => descriptor.digest === digest)?.bytes ??
      Buffer.alloc(0);
    const source: ImageSource = {
      ...ociSource({ path: '/nonexistent' }),
      blob: async ({ digest }, from) => opener(bytesOfBlob(digest))(from),
    };
    await using planned = await planDockerArchive(
      all.map((one) => ({ names: [one.name], manifest: one.root, source })),
      { temporaryDirectory: directory.path },
    );
    const file = await readFile(path);
    expect(planned.size).toBe(file.length);
    for (let time = 0; time < 2; time++) {
      expect(Buffer.compare(Buffer.concat(await Array.fromAsync(planned.bytes())), file)).toBe(0);
    }
  });

  it('refuses indexes and foreign layers, with a hint', async () => {
    await using directory = await temporaryDirectory('docker-archive');
    const sink = dockerArchiveSink(join(directory.path, 'x.tar'), { temporaryDirectory: tmpdir() });
    const refusal = { code: 'MANIFEST_INVALID', hint: expect.stringContaining('--platform') };
    await expect(sink.commit(name, indexContent('x').root)).rejects.toMatchObject(refusal);
    const type = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
    const blob = blobOf(bytesOf('x', 10), type);
    const published = { ...blob, descriptor: { ...blob.descriptor, urls: ['https://example.com/x'] } };
    const foreign = imageOf([published], [sha256(bytesOf('x', 10))]);
    await expect(sink.commit(name, foreign.manifest)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});
