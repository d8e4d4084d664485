import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { blobOf, collect, imageOf, manifestOf } from '../../test/contract/content.ts';
import {
  imageContent,
  indexContent,
  layoutFiles,
  type NamedContent,
  writeFiles,
} from '../../test/contract/named-content.ts';
import { buildImage, buildIndex, type FixtureImage, layerOf, randomLayer } from '../../test/fixtures/image.ts';
import { quickDirectory } from '../../test/peers/temporary.ts';
import { digestOf } from '../oci/digest.ts';
import { decodeManifest, manifestDescriptor, rawManifest } from '../oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER_ZSTD, OCI_MANIFEST } from '../oci/media-types.ts';
import { parseReference } from '../oci/reference.ts';
import { ociArchiveSink } from '../transports/archive/oci-archive-sink.ts';
import { openOciArchive } from '../transports/archive/oci-archive-source.ts';
import type { ImageSource } from '../transports/contract.ts';
import { dirSink } from '../transports/dir/dir-sink.ts';
import { dirSource } from '../transports/dir/dir-source.ts';
import { dockerArchiveSink } from '../transports/docker-archive/docker-archive-sink.ts';
import { ociSink } from '../transports/layout/layout-sink.ts';
import { ociSource } from '../transports/layout/layout-source.ts';
import { registrySource } from '../transports/registry-source.ts';
import { copyOne, FILE_TRANSPORTS, IMAGE_NAME, testLocation } from './testing/file-transports.ts';
import { memoryRegistry, sinkInto } from './testing/memory-registry.ts';

/** A layout that holds the image under the tag `1`. */
async function layoutOf(directory: string, image: FixtureImage): Promise<ImageSource> {
  await writeFiles(directory, layoutFiles(contentOf(image)));
  return ociSource({ path: directory, ref: '1' });
}

function contentOf(image: FixtureImage): NamedContent {
  const raw = ({ manifest }: FixtureImage) => rawManifest(manifest.bytes, manifest.mediaType);
  const all = [image, ...image.children];
  return {
    name: IMAGE_NAME,
    root: raw(image),
    children: image.children.map(raw),
    referrers: [],
    attached: [],
    blobs: all.flatMap(({ blobs }) => blobs).map((blob) => blobOf(Buffer.from(blob.bytes), blob.mediaType)),
  };
}

async function expectWhole(source: ImageSource, digest: string): Promise<void> {
  await using opened = source;
  const root = await opened.root();
  expect(root.digest).toBe(digest);
  const manifest = decodeManifest(root);
  if (manifest.kind !== 'image') throw new Error('no image');
  for (const blob of [manifest.config, ...manifest.layers]) {
    expect(digestOf(await collect(await opened.blob(blob, 0)))).toBe(blob.digest);
  }
}

describe('an image', () => {
  const image = buildImage({ layers: [randomLayer('one', 300_000), layerOf([{ name: 'x', data: 'y' }])] });
  const docker = buildImage({ layers: [randomLayer('two', 100_000)], kind: 'docker' });

  for (const from of FILE_TRANSPORTS) {
    for (const to of FILE_TRANSPORTS) {
      it(`goes from ${from} to ${to} and to a registry with its digest`, async () => {
        for (const one of [image, docker]) {
          await using directory = await quickDirectory('transports');
          const [first, second] = [testLocation(from, directory.path, 'from'), testLocation(to, directory.path, 'to')];
          await copyOne(await layoutOf(join(directory.path, 'layout'), one), first.sink());
          await copyOne(await first.source(), second.sink());
          await expectWhole(await second.source(), one.manifest.digest);
          const registry = memoryRegistry();
          await copyOne(await second.source(), sinkInto(registry));
          await expectWhole(registrySource(registry, IMAGE_NAME), one.manifest.digest);
          await copyOne(registrySource(registry, IMAGE_NAME), testLocation(from, directory.path, 'back').sink());
          await expectWhole(await testLocation(from, directory.path, 'back').source(), one.manifest.digest);
        }
      });
    }
  }

  it('is refused in one line by a location that cannot be written, before anything is changed', async () => {
    await using directory = await quickDirectory('transports');
    const file = join(directory.path, 'file');
    await writeFile(file, 'mine');
    const other = join(directory.path, 'other');
    await mkdir(other);
    await writeFile(join(other, 'mine'), 'mine');
    const sinks = [
      ociSink(file),
      dirSink(file),
      dirSink(other),
      ociArchiveSink(join(directory.path, 'none/x.tar'), { temporaryDirectory: tmpdir() }),
      dockerArchiveSink(other, { temporaryDirectory: tmpdir() }),
    ];
    for (const sink of sinks) {
      const copying = copyOne(await layoutOf(join(directory.path, 'layout'), image), sink);
      await expect(copying).rejects.toMatchObject({ code: 'LOCATION_INVALID', hint: expect.stringContaining('') });
    }
    expect(await readdir(other)).toEqual(['mine']);
    expect((await readdir(directory.path)).sort()).toEqual(['file', 'layout', 'other']);
    expect(`${await readFile(file)}`).toBe('mine');
  });

  it.each(FILE_TRANSPORTS)('whose digests are sha512 goes to %s and back', async (kind) => {
    await using directory = await quickDirectory('transports');
    const made = imageOf('long', {}, 'sha512');
    const content = { ...contentOf(image), root: made.manifest, blobs: [made.config, ...made.layers] };
    await writeFiles(join(directory.path, 'layout'), layoutFiles(content));
    const location = testLocation(kind, directory.path, 'to');
    await copyOne(ociSource({ path: join(directory.path, 'layout') }), location.sink());
    await using source = await location.source();
    const root = await source.root();
    expect(Buffer.compare(root.bytes, made.manifest.bytes)).toBe(0);
    // A `dir:` does not record the digest of its root, so it is computed with the usual algorithm.
    if (kind !== 'dir') expect(root.digest).toBe(made.manifest.digest);
    for (const { descriptor, bytes } of content.blobs) {
      expect(Buffer.compare(await collect(await source.blob(descriptor, 0)), bytes)).toBe(0);
    }
  });

  it('of schema 1 is refused clearly, wherever it is', async () => {
    await using directory = await quickDirectory('transports');
    const old = Buffer.from(JSON.stringify({ schemaVersion: 1, name: 'old', tag: '1', fsLayers: [], history: [] }));
    const dir = join(directory.path, 'dir');
    await writeFiles(dir, new Map([['manifest.json', old]]));
    const layout = join(directory.path, 'layout');
    const digest = digestOf(old);
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    const index = { schemaVersion: 2, manifests: [{ mediaType: type, digest, size: old.length }] };
    await writeFiles(
      layout,
      new Map([
        ['index.json', Buffer.from(JSON.stringify(index))],
        [`blobs/sha256/${digest.slice('sha256:'.length)}`, old],
      ]),
    );
    for (const source of [dirSource(dir), ociSource({ path: layout })]) {
      const copying = copyOne(source, ociSink(join(directory.path, 'to')));
      await expect(copying).rejects.toMatchObject({ code: 'UNSUPPORTED', hint: expect.stringContaining('schema 1') });
    }
  });

  it('is refused where the transport cannot hold its referrers', async () => {
    await using directory = await quickDirectory('transports');
    const [content, single] = [indexContent('signed'), imageContent('signed')];
    const subject = manifestDescriptor(single.root);
    const signature = manifestOf({ mediaType: OCI_MANIFEST, config: single.blobs[0]?.descriptor, layers: [], subject });
    const signed = { ...single, referrers: [signature] };
    for (const [kind, placed] of [
      ['dir', content],
      ['docker-archive', signed],
    ] as const) {
      await writeFiles(join(directory.path, kind), layoutFiles(placed));
      const layout = ociSource({ path: join(directory.path, kind), ref: '1.2' });
      const location = testLocation(kind, directory.path, 'to');
      const copying = copyOne(layout, location.sink(), { platforms: 'all', referrers: true });
      await expect(copying).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        hint: expect.stringContaining('--referrers'),
      });
    }
  });

  it('is not read again where it is there already', async () => {
    await using directory = await quickDirectory('transports');
    for (const kind of ['oci', 'dir'] as const) {
      const location = testLocation(kind, directory.path, 'to');
      await copyOne(await layoutOf(join(directory.path, 'layout'), image), location.sink());
      const again = await copyOne(await layoutOf(join(directory.path, 'layout'), image), location.sink());
      expect(again.fetched).toBe(0);
    }
  });

  it('takes the place of an older one in dir:, of which nothing stays', async () => {
    await using directory = await quickDirectory('transports');
    const location = testLocation('dir', directory.path, 'to');
    await copyOne(await layoutOf(join(directory.path, 'one'), image), location.sink());
    await copyOne(await layoutOf(join(directory.path, 'two'), docker), location.sink());
    await expectWhole(await location.source(), docker.manifest.digest);
    expect(await readdir(join(directory.path, 'dir-to'))).toHaveLength(docker.blobs.length + 2);
  });

  it('loses only its zstd layers’ compression in a docker-archive', async () => {
    await using directory = await quickDirectory('transports');
    const layer = layerOf([{ name: 'x', data: 'zstd' }]);
    const plain = gunzipSync(layer.bytes);
    const zstd = blobOf(zstdCompressSync(plain), OCI_LAYER_ZSTD);
    const config = blobOf(
      Buffer.from(
        JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digestOf(plain)] } }),
      ),
      OCI_CONFIG,
    );
    const root = manifestOf({ mediaType: OCI_MANIFEST, config: config.descriptor, layers: [zstd.descriptor] });
    const content = { ...contentOf(image), root, blobs: [config, zstd] };
    await writeFiles(join(directory.path, 'layout'), layoutFiles(content));
    const location = testLocation('docker-archive', directory.path, 'to');
    await copyOne(ociSource({ path: join(directory.path, 'layout') }), location.sink());
    await using source = await location.source();
    const manifest = decodeManifest(await source.root());
    expect(manifest).toMatchObject({ config: config.descriptor, layers: [{ digest: digestOf(plain) }] });
  });
});

describe('an index', () => {
  const index = buildIndex([
    buildImage({ layers: [randomLayer('amd', 50_000)] }),
    buildImage({ layers: [randomLayer('arm', 50_000)], architecture: 'arm64' }),
  ]);

  it.each(['oci', 'oci-archive', 'dir'] as const)('goes to %s whole or in part with its digest', async (kind) => {
    await using directory = await quickDirectory('transports');
    for (const platforms of ['linux/amd64', 'all', 'linux/arm64']) {
      const location = testLocation(kind, directory.path, platforms.replace('/', '-'));
      await copyOne(await layoutOf(join(directory.path, 'layout'), index), location.sink(), { platforms });
      await using source = await location.source();
      const root = await source.root();
      expect(root.digest).toBe(index.manifest.digest);
      const there = index.children.filter((child) => platforms === 'all' || platforms.endsWith(child.architecture));
      for (const child of there) {
        await expectWhole(
          {
            ...source,
            root: () => source.manifest(manifestDescriptor(contentOf(child).root)),
            [Symbol.asyncDispose]: async () => {},
          },
          child.manifest.digest,
        );
      }
    }
  });

  it('is in a docker-archive one of its images', async () => {
    await using directory = await quickDirectory('transports');
    const location = testLocation('docker-archive', directory.path, 'to');
    const source = await layoutOf(join(directory.path, 'layout'), index);
    const { notes } = await copyOne(source, location.sink(), { platforms: 'linux/arm64' });
    expect(notes).toEqual([
      `quay.io/x/app:1 is there for one platform: docker-archive:${join(directory.path, 'docker-archive-to')} holds no indexes`,
    ]);
    await expectWhole(await location.source(), index.children[1]?.manifest.digest ?? '');
    const [child] = index.children as [FixtureImage];
    const alone = await layoutOf(join(directory.path, 'alone'), child);
    expect((await copyOne(alone, location.sink())).notes).toEqual([]);
  });

  it.each(['oci', 'oci-archive'] as const)('goes to %s with what points to it', async (kind) => {
    await using directory = await quickDirectory('transports');
    const content = indexContent('signed');
    await writeFiles(join(directory.path, 'layout'), layoutFiles(content));
    const layout = ociSource({ path: join(directory.path, 'layout'), ref: '1.2' });
    const location = testLocation(kind, directory.path, 'to');
    await copyOne(layout, location.sink(), { platforms: 'all', referrers: true });
    await using source = await location.source();
    expect((await source.root()).digest).toBe(content.root.digest);
    const found = await Array.fromAsync(source.referrers(content.root.digest));
    expect(found.map(({ digest }) => digest)).toEqual(content.referrers.map(({ digest }) => digest));
  });
});

describe('a layout', () => {
  const image = (seed: string) => buildImage({ layers: [randomLayer(seed, 20_000)] });

  it('keeps all images that several copies write at once', async () => {
    await using directory = await quickDirectory('transports');
    const path = join(directory.path, 'shared');
    const names = Array.from({ length: 8 }, (_, at) => `quay.io/x/app${at}:1`);
    await Promise.all(
      names.map(async (text) => {
        const source = await layoutOf(join(directory.path, text.replaceAll('/', '-')), image(text));
        await copyOne(source, ociSink(path), { name: parseReference(text) });
      }),
    );
    for (const text of names) await expectWhole(ociSource({ path, ref: text }), image(text).manifest.digest);
    expect((await readdir(path)).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });

  it('tells images of several repositories with one tag apart, and moves a name that it was given', async () => {
    await using directory = await quickDirectory('transports');
    const path = join(directory.path, 'shared');
    const put = async (text: string, seed: string, ref?: string) => {
      const source = await layoutOf(join(directory.path, seed), image(seed));
      await copyOne(source, ociSink(path, ref === undefined ? {} : { ref }), { name: parseReference(text) });
    };
    await put('quay.io/a:1', 'a');
    await put('quay.io/b:1', 'b');
    await expectWhole(ociSource({ path, ref: 'quay.io/a:1' }), image('a').manifest.digest);
    await expectWhole(ociSource({ path, index: 1 }), image('b').manifest.digest);
    const unclear = { code: 'MANIFEST_UNKNOWN', hint: 'It has quay.io/a:1, quay.io/b:1.' };
    for (const wanted of [{ ref: '1' }, { ref: '2' }, {}]) {
      await expect(ociSource({ path, ...wanted }).root()).rejects.toMatchObject(unclear);
    }
    await put('quay.io/c:1', 'c', '1');
    await expectWhole(ociSource({ path, ref: '1' }), image('c').manifest.digest);
    await expectWhole(ociSource({ path, digest: contentOf(image('a')).root.digest }), image('a').manifest.digest);
  });

  it('goes on with a download that broke off', async () => {
    await using directory = await quickDirectory('transports');
    const one = buildImage({ layers: [randomLayer('big', 3_000_000)] });
    const layout = await layoutOf(join(directory.path, 'layout'), one);
    const path = join(directory.path, 'to');
    const broken: ImageSource = {
      ...layout,
      blob: async (blob, from) => {
        const body = await layout.blob(blob, from);
        if (blob.size < 1_000_000) return body;
        return (async function* () {
          let left = 2_000_000;
          for await (const chunk of body) {
            if (chunk.length > left) throw new Error('connection reset');
            left -= chunk.length;
            yield chunk;
          }
        })();
      },
    };
    await expect(copyOne(broken, ociSink(path))).rejects.toThrow('connection reset');
    const { fetched } = await copyOne(layout, ociSink(path));
    expect(fetched).toBeLessThan(1_500_000);
    await expectWhole(ociSource({ path }), one.manifest.digest);
  });

  it('is what an archive of it is', async () => {
    await using directory = await quickDirectory('transports');
    const path = join(directory.path, 'x.tar');
    await copyOne(
      await layoutOf(join(directory.path, 'a'), image('a')),
      ociArchiveSink(path, { temporaryDirectory: tmpdir() }),
      {
        name: parseReference('quay.io/a:1'),
      },
    );
    await expectWhole(
      await openOciArchive({ path, ref: 'quay.io/a:1' }, { temporaryDirectory: tmpdir() }),
      image('a').manifest.digest,
    );
  });
});
