import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, buildIndex, type FixtureImage, layerOf, randomLayer } from '../../../test/fixtures/image.ts';
import { writeDir, writeLayout } from '../../../test/fixtures/layout.ts';
import { compressedLayer } from '../../../test/fixtures/odd-layers.ts';
import { tar } from '../../../test/fixtures/tar.ts';
import type { CopyEvent } from '../../copy/events.ts';
import { makeBlob, makeImage, push } from '../../copy/testing/images.ts';
import { memoryRegistry, sinkInto } from '../../copy/testing/memory-registry.ts';
import { decodeManifest } from '../../oci/manifest.ts';
import { formatReference } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import { startServer } from '../../server/testing/start.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';
import { registrySource } from '../../transports/registry-source.ts';
import type { Transport } from '../../transports/transport.ts';
import type { Settings } from '../settings.ts';
import { putFixture } from '../testing/hosts-and-store.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { copyImage, uploadImages } from './copy-image.ts';

const of = (architecture: string) =>
  buildImage({ architecture, layers: [layerOf([{ name: 'a', data: architecture }])] });
const image = of('amd64');
/** Its layer is not compressed. */
const plain = buildImage({
  layers: [compressedLayer(tar([{ name: 'a', data: 'a'.repeat(5000) }]), 'none')],
  ownTypes: true,
});

/** A layout with these images, in the world's directory. */
async function layoutIn({ path }: TemporaryWorld, images: Readonly<Record<string, FixtureImage>>): Promise<string> {
  return `oci:${await writeLayout(join(path, 'layout'), images)}`;
}

describe('a copy', () => {
  it('reports what was copied, and the second time that everything was there', async () => {
    await using world = await temporaryWorld();
    const from = `${await layoutIn(world, { app: image })}:app`;
    const ends = { from, to: `oci:${world.path}/copy:1` };
    const size = image.blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(await copyImage(ends, world.settings())).toMatchObject({
      dryRun: false,
      planned: [expect.stringMatching(/layout$/)],
      copied: [{ digest: image.manifest.digest }],
      failed: [],
      fetched: size,
      alreadyThere: 0,
    });
    expect(await copyImage(ends, world.settings())).toMatchObject({ fetched: 0, alreadyThere: size });
  });

  it('can be only planned, and then creates nothing', async () => {
    await using world = await temporaryWorld();
    const from = `${await layoutIn(world, { app: image })}:app`;
    const size = image.blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const expected = await copyImage({ from, to: `oci:${world.path}/copy:1` }, world.settings(), { dryRun: true });
    expect(expected).toMatchObject({
      dryRun: true,
      planned: [expect.stringMatching(/layout$/)],
      copied: [],
      failed: [],
      fetched: size,
      alreadyThere: 0,
    });
    expect(await readdir(world.path)).toEqual(['layout']);
  });

  it('takes the images of an index for the named platforms, or fails if there is none', async () => {
    await using world = await temporaryWorld();
    const from = `${await layoutIn(world, { app: buildIndex([of('arm64'), of('s390x')]) })}:app`;
    const to = `dir:${world.path}/copy`;
    const arm64 = [{ os: 'linux', architecture: 'arm64' }];
    await copyImage({ from, to }, world.settings(), { platforms: arm64 });
    const files = await readdir(join(world.path, 'copy'));
    const has = (copied: FixtureImage) =>
      copied.blobs.every(({ digest }) => files.includes(digest.slice('sha256:'.length)));
    expect([has(of('arm64')), has(of('s390x'))]).toEqual([true, false]);
    await expect(
      copyImage({ from, to }, world.settings(), { platforms: [{ os: 'linux', architecture: 'riscv64' }] }),
    ).rejects.toMatchObject({
      code: 'PLATFORM_UNKNOWN',
    });
  });

  it('within a registry mounts the blobs', async () => {
    await using world = await temporaryWorld();
    const registry = storedRegistry(memoryStore());
    const large = buildImage({ layers: [randomLayer('large', 100_000)] });
    await putFixture(registry, { path: 'a', tag: '1' }, large);
    await using server = await startServer(registry);
    const debugged: string[] = [];
    const settings = world.settings(
      { LOCAL_REGISTRY: server.host },
      {
        onDebug: ({ topic, event }) => {
          if (topic === 'copy' && event.type === 'not-fetched') debugged.push(event.why);
        },
      },
    );
    const { fetched } = await copyImage(
      { from: `docker://${server.host}/a:1`, to: `docker://${server.host}/b:1` },
      settings,
    );
    // The config is so small that sending it costs less than asking.
    expect([fetched, debugged]).toEqual([large.blobs[0]?.bytes.length, expect.arrayContaining(['remembered'])]);
    expect((await registry.getManifest('b', '1')).digest).toBe(large.manifest.digest);
  });
});

it('referrers are copied if that is wanted', async () => {
  const [from, to] = [memoryRegistry(), memoryRegistry()];
  const subject = makeImage({ layers: [makeBlob('layer')] });
  await push(from, 'a:1', subject);
  await push(
    from,
    'a',
    makeImage({ layers: [makeBlob('signature')], subject: subject.manifest, artifactType: 'a/sig' }),
  );
  const own = (name: string, registry: Registry): Transport => ({
    name,
    openSource: async () => ({ source: registrySource(registry, { path: 'a', tag: '1' }) }),
    openSink: async () => ({ sink: sinkInto(registry), name: { path: 'a', tag: '1' } }),
  });
  await using world = await temporaryWorld();
  const settings = world.settings({}, { transports: [own('from', from), own('to', to)] });
  const attached = async () => (await Array.fromAsync(to.referrers('a', subject.manifest.digest))).length;
  await copyImage({ from: 'from:', to: 'to:' }, settings);
  expect(await attached()).toBe(0);
  await copyImage({ from: 'from:', to: 'to:' }, settings, { referrers: true });
  expect(await attached()).toBe(1);
});

describe('layers that are uncompressed at their source', () => {
  /** The media types of the layers at the destination, and the events. */
  async function copied(
    to: string,
    settings: Settings,
    options: Parameters<typeof copyImage>[2],
    world: TemporaryWorld,
  ) {
    const events: CopyEvent[] = [];
    const from = `dir:${await writeDir(join(world.path, 'dir'), plain)}`;
    await copyImage({ from, to }, settings, { ...options, onEvent: (event) => events.push(event) });
    return events;
  }

  async function typesIn(directory: string): Promise<readonly string[]> {
    const [listed] = JSON.parse(await readFile(join(directory, 'index.json'), 'utf8')).manifests;
    const manifest = JSON.parse(await readFile(join(directory, 'blobs', listed.digest.replace(':', '/')), 'utf8'));
    return manifest.layers.map(({ mediaType }: { mediaType: string }) => mediaType);
  }

  it.each([
    [undefined, 'application/vnd.oci.image.layer.v1.tar+gzip'],
    [{ kind: 'zstd', level: 3 }, 'application/vnd.oci.image.layer.v1.tar+zstd'],
    [{ kind: 'none' }, 'application/vnd.oci.image.layer.v1.tar'],
  ] as const)('are compressed for a layout as the options say: %j', async (compression, type) => {
    await using world = await temporaryWorld();
    const temporaryDirectory = join(world.path, 'tmp');
    await mkdir(temporaryDirectory);
    const settings = world.settings({}, { temporaryDirectory });
    const to = join(world.path, 'copy');
    const events = await copied(`oci:${to}:1`, settings, compression && { compression }, world);
    expect(await typesIn(to)).toEqual([type]);
    expect(events.some((event) => event.type === 'compressing')).toBe(compression?.kind !== 'none');
    expect(await readdir(temporaryDirectory)).toEqual([]);
  });

  it('stay as they are for other transports', async () => {
    await using world = await temporaryWorld();
    const events = await copied(`dir:${world.path}/copy`, world.settings(), {}, world);
    expect(events.some((event) => event.type === 'compressing')).toBe(false);
    expect(existsSync(join(world.path, 'copy', (plain.blobs[1]?.digest ?? '').slice('sha256:'.length)))).toBe(true);
  });

  it('are sent while they are compressed, and count as fetched once', async () => {
    await using world = await temporaryWorld();
    const registry = memoryRegistry();
    const there: Transport = {
      name: 'there',
      compressesLayers: true,
      openSink: async () => ({ sink: sinkInto(registry), name: { path: 'b', tag: '1' } }),
    };
    const from = `dir:${await writeDir(join(world.path, 'dir'), plain)}`;
    const settings = world.settings({}, { transports: [there] });
    const { fetched, alreadyThere } = await copyImage({ from, to: 'there:x' }, settings);
    const manifest = decodeManifest(await registry.getManifest('b', '1'));
    if (manifest.kind !== 'image') throw new Error('no image');
    const size = manifest.config.size + (manifest.layers[0]?.size ?? 0);
    expect([fetched, alreadyThere]).toEqual([size, 0]);
  });
});

describe('a copy that a signal ends', () => {
  it.each(['oci-archive', 'docker-archive'])('leaves nothing of a %s', async (kind) => {
    await using world = await temporaryWorld();
    const from = `${await layoutIn(world, { app: buildImage({ layers: [randomLayer('large', 1_000_000)] }) })}:app`;
    const temporaryDirectory = join(world.path, 'tmp');
    await mkdir(temporaryDirectory);
    const end = new AbortController();
    const settings = world.settings({}, { temporaryDirectory, signal: end.signal });
    const onEvent = ({ type }: CopyEvent) => type === 'progress' && end.abort(new Error('enough'));
    const copying = copyImage({ from, to: `${kind}:${world.path}/out.tar:a/b:1` }, settings, { onEvent });
    await expect(copying).rejects.toThrow('enough');
    expect([await readdir(world.path), await readdir(temporaryDirectory)]).toEqual([['layout', 'tmp'], []]);
  });
});

describe('an upload', () => {
  /** The store of the world's user, into which images are uploaded. */
  const storeOf = ({ path }: TemporaryWorld) => openEmbeddedStore(join(path, 'share/images'));

  it('of a layout sends all its images, each under its name, and records their hosts', async () => {
    await using world = await temporaryWorld();
    const from = await layoutIn(world, { 'quay.io/a/b:1': image, 'c:2': plain });
    const { copied, failed } = await uploadImages(from, world.settings());
    expect(copied.map(({ name }) => formatReference(name))).toEqual(['quay.io/a/b:1', 'c:2']);
    expect(failed).toEqual([]);
    const { stripped, names } = await storeOf(world);
    expect((await stripped.statManifest('a/b', '1'))?.digest).toBe(image.manifest.digest);
    expect(await names.hostsOf('a/b', '1')).toEqual([{ host: 'quay.io', digest: image.manifest.digest }]);
  });

  it('gives an image another name if one is given', async () => {
    await using world = await temporaryWorld();
    const from = await layoutIn(world, { 'a:1': image });
    await uploadImages(`${from}:a:1`, world.settings(), { tag: 'quay.io/x/y:3' });
    const { stripped } = await storeOf(world);
    expect((await stripped.statManifest('x/y', '3'))?.digest).toBe(image.manifest.digest);
    expect(await stripped.statManifest('a', '1')).toBeUndefined();
  });

  it('keeps the host in the repository’s name if that is wanted and possible', async () => {
    await using world = await temporaryWorld();
    const from = `${await layoutIn(world, { a: image })}:a`;
    const upload = (tag: string) => uploadImages(from, world.settings(), { tag, includeHost: true });
    await upload('quay.io/x/y:3');
    const { stripped } = await storeOf(world);
    expect((await stripped.statManifest('quay.io/x/y', '3'))?.digest).toBe(image.manifest.digest);
    await expect(upload('localhost:5000/x/y:3')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('of an image without a name, or under an invalid one, is refused', async () => {
    await using world = await temporaryWorld();
    const from = `${await layoutIn(world, { a: image })}:a`;
    for (const [options, named] of [
      [{}, from],
      [{ tag: 'No Name' }, 'No Name'],
    ] as const) {
      await expect(uploadImages(from, world.settings(), options)).rejects.toMatchObject({
        code: 'USAGE',
        message: `the image needs a name [${named}]`,
      });
    }
  });

  it('of an empty archive or layout is an error', async () => {
    await using world = await temporaryWorld();
    const from = await layoutIn(world, {});
    await expect(uploadImages(from, world.settings())).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
      message: 'there is no image',
    });
  });
});
