import { mkdtemp, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  buildImage,
  buildIndex,
  type FixtureImage,
  layerOf,
  randomLayer,
  sha256,
} from '../../../test/fixtures/image.ts';
import { writeLayout } from '../../../test/fixtures/layout.ts';
import { compressedLayer } from '../../../test/fixtures/odd-layers.ts';
import { tar } from '../../../test/fixtures/tar.ts';
import { readAll } from '../../copy/testing/images.ts';
import { memoryRegistry } from '../../copy/testing/memory-registry.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { readTar } from '../../tar/reader.ts';
import { registrySource } from '../../transports/registry-source.ts';
import type { Transport } from '../../transports/transport.ts';
import { putFixture } from '../testing/hosts-and-store.ts';
import { type LaidOutImages, laidOut } from '../testing/laid-out-image.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { type SaveOptions, saveImages } from './save-images.ts';

const layer = layerOf([{ name: 'etc/' }, { name: 'etc/motd', data: 'hello' }]);
const [amd, arm] = ['amd64', 'arm64'].map((architecture) => buildImage({ layers: [layer], architecture })) as [
  FixtureImage,
  FixtureImage,
];

/** The files of an archive, by name. */
async function filesOf(archive: Uint8Array): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { name, body } of readTar(oneChunk(archive), { tail: () => {} })) {
    files.set(name, Buffer.concat(await Array.fromAsync(body)));
  }
  return files;
}

/** The archive of images of `place`, and the images in the order in which they were announced. */
async function saved(images: readonly string[], layout: LaidOutImages, options: SaveOptions = {}) {
  const announced: string[] = [];
  const onImage = (name: string) => announced.push(name);
  await using all = await saveImages(images.map(layout.named), layout.settings, { ...options, onImage });
  const archive = await readAll(all.bytes());
  return { archive, announced, size: all.size };
}

it('a saved archive has each image once, under its full name, as docker load takes it', async () => {
  await using layout = await laidOut({ 'quay.io/a/b:1': amd, 'app:2': arm, 'docker.io/library/app:2': arm });
  const { archive, announced, size } = await saved(['quay.io/a/b:1', 'app:2', 'docker.io/library/app:2'], layout);
  const names = ['quay.io/a/b:1', 'docker.io/library/app:2'];
  expect(announced).toEqual(names);
  expect(archive.length).toBe(size);
  const nested = await filesOf(archive);
  expect([...nested.keys()]).toEqual(names);
  for (const [name, { blobs }] of [
    ['quay.io/a/b:1', amd],
    ['docker.io/library/app:2', arm],
  ] as const) {
    const files = await filesOf(nested.get(name) ?? Buffer.of());
    const [listed] = JSON.parse(String(files.get('manifest.json')));
    expect(listed.RepoTags).toEqual([name]);
    expect(files.get(listed.Config)).toEqual(Buffer.from(blobs[0]?.bytes ?? []));
  }
});

it('a saved archive can be read again, and saved to the same bytes', async () => {
  await using layout = await laidOut({ 'quay.io/a/b:1': amd });
  await using all = await saveImages([layout.named('quay.io/a/b:1')], layout.settings);
  expect(await readAll(all.bytes())).toEqual(await readAll(all.bytes()));
});

it('of an index, the image of the platform is saved', async () => {
  await using layout = await laidOut({ 'quay.io/a/b:1': buildIndex([amd, arm]) });
  const platform = { os: 'linux', architecture: 'arm64' };
  const { archive } = await saved(['quay.io/a/b:1'], layout, { platform });
  const files = await filesOf((await filesOf(archive)).get('quay.io/a/b:1') ?? Buffer.of());
  const [{ Config }] = JSON.parse(String(files.get('manifest.json')));
  expect(JSON.parse(String(files.get(Config)))).toMatchObject({ architecture: 'arm64' });
  const options = { platform: { ...platform, architecture: 's390x' } };
  await expect(saved(['quay.io/a/b:1'], layout, options)).rejects.toMatchObject({ code: 'PLATFORM_UNKNOWN' });
});

it('if one image is not found, those that were opened are closed', async () => {
  await using world = await temporaryWorld();
  const registry = memoryRegistry();
  await putFixture(registry, { path: 'a', tag: '1' }, amd);
  let closed = 0;
  const source = {
    ...registrySource(registry, { path: 'a', tag: '1' }),
    [Symbol.asyncDispose]: async () => void closed++,
  };
  const name = { path: 'a', tag: '1' };
  const transports: readonly Transport[] = [{ name: 'own', openSource: async () => ({ source, name }) }];
  const settings = world.settings({}, { transports });
  await expect(saveImages(['own:1', 'own:2', 'absent:1'], settings)).rejects.toMatchObject({
    code: 'MANIFEST_UNKNOWN',
  });
  expect(closed).toBe(2);
});

it('layers that Docker cannot read are unpacked into files that are gone with the archive', async () => {
  await using world = await temporaryWorld();
  const plain = compressedLayer(tar([{ name: 'etc/motd', data: 'hello' }]), 'zstd');
  const layout = await writeLayout(join(world.path, 'layout'), {
    'a/b:1': buildImage({ layers: [plain], ownTypes: true }),
  });
  const temporaryDirectory = await mkdtemp(join(world.path, 'tmp-'));
  const open = async () => {
    const files = await Promise.all(
      (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    );
    return files.filter((file) => file.startsWith(temporaryDirectory)).length;
  };
  const all = await saveImages([`oci:${layout}:a/b:1`], world.settings({}, { temporaryDirectory }));
  const files = await filesOf((await filesOf(await readAll(all.bytes()))).get('docker.io/a/b:1') ?? Buffer.of());
  const [{ Layers }] = JSON.parse(String(files.get('manifest.json')));
  expect(sha256(files.get(Layers[0]) ?? Buffer.of())).toBe(plain.diffId);
  expect([await readdir(temporaryDirectory), await open()]).toEqual([[], 1]);
  await all[Symbol.asyncDispose]();
  expect(await open()).toBe(0);
});

it('a signal ends saving between two chunks', async () => {
  await using layout = await laidOut({ 'a/b:1': buildImage({ layers: [randomLayer('large', 1_000_000)] }) });
  const end = new AbortController();
  await using all = await saveImages([layout.named('a/b:1')], { ...layout.settings, signal: end.signal });
  const reading = async () => {
    let bytes = 0;
    for await (const { length } of all.bytes()) {
      bytes += length;
      if (bytes > 10_000) end.abort(new Error('enough'));
    }
  };
  await expect(reading()).rejects.toThrow('enough');
});

it('saving an image without a name is refused', async () => {
  await using world = await temporaryWorld();
  const layout = await writeLayout(join(world.path, 'layout'), { '1': amd });
  await expect(saveImages([`oci:${layout}:1`], world.settings())).rejects.toMatchObject({
    code: 'USAGE',
    message: `the image has no name [oci:${layout}:1]`,
  });
});
