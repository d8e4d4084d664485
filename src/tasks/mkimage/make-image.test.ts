import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import type { BuildEvent } from '../../build/request.ts';
import { decodeConfig } from '../../oci/config.ts';
import { type Digest, digestHex } from '../../oci/digest.ts';
import { decodeManifest } from '../../oci/manifest.ts';
import { formatReference } from '../../oci/reference.ts';
import { findPath } from '../../rootfs/tree.ts';
import { builtImages } from '../../storage/builds/built-images.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import type { Settings } from '../settings.ts';
import { hostsAndStore } from '../testing/hosts-and-store.ts';
import { type OverlayImage, overlayImage } from '../testing/overlay-image.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { openTree } from '../transfer/tree-source.ts';
import { type MakeImageOptions, makeImage } from './make-image.ts';

const DOCKERFILE = 'FROM scratch\nADD ovl.tar /\nCMD ["/bin/app"]\n';
const MANIFEST = JSON.stringify({
  name: 'example.com/a/b',
  labels: [{ name: 'version', value: '1.2' }],
  app: { exec: ['/bin/app'] },
});

const storeOf = ({ path }: TemporaryWorld) => openEmbeddedStore(join(path, 'share/images'));

/** Builds the image, and records what was told. */
async function make(
  world: TemporaryWorld,
  image: OverlayImage,
  options: MakeImageOptions = {},
  settings: Settings = world.settings(),
) {
  const events: BuildEvent[] = [];
  const said: string[] = [];
  const directory = await overlayImage(world, 'image', image);
  const made = await makeImage(directory, settings, {
    onEvent: (event) => events.push(event),
    onScript: (chunk) => said.push(String(Buffer.from(chunk))),
    ...options,
  });
  const steps = events.flatMap((event) => (event.type === 'step-done' ? [event.cached] : []));
  const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
  return { ...made, steps, said: said.join(''), warnings };
}

const files = { Dockerfile: DOCKERFILE };

describe('an image of a Dockerfile', () => {
  it('is in the store under its name, and not in the registry before it is uploaded', async () => {
    await using world = await temporaryWorld();
    const { name, digest, cached, said } = await make(world, { files }, { tag: 'x/app' });
    expect([formatReference(name), cached, said]).toEqual(['x/app:latest', false, 'said\n']);
    const store = await storeOf(world);
    expect(await builtImages(store).find(name)).toBe(digest);
    expect(await Array.fromAsync(store.registry.repositories())).toEqual([]);
    await using tree = await openTree({ image: 'x/app' }, world.settings());
    expect(findPath(tree.tree, 'etc/motd')).toBeDefined();
    expect(JSON.parse(String(tree.configBytes)).config.Cmd).toEqual(['/bin/app']);
    expect(await readdir(join(world.path, 'share/images/images/tmp'))).toEqual([]);
  });

  it('is the same the second time, from the cache; without the cache it is built, to the same digest', async () => {
    await using world = await temporaryWorld();
    const first = await make(world, { files }, { tag: 'app:1' });
    const second = await make(world, { files }, { tag: 'app:1' });
    const third = await make(world, { files }, { tag: 'app:1', noCache: true });
    expect([second.digest, third.digest]).toEqual([first.digest, first.digest]);
    expect([first, second, third].map(({ steps }) => steps.every(Boolean))).toEqual([false, true, false]);
  });

  it('needs a name, and that has no digest', async () => {
    await using world = await temporaryWorld();
    await expect(make(world, { files })).rejects.toMatchObject({
      code: 'USAGE',
      hint: expect.stringContaining('--tag'),
    });
    await expect(make(world, { files }, { tag: `a@sha256:${'a'.repeat(64)}` })).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  it('is not recorded where the script fails, even if nothing reads its archive', async () => {
    await using world = await temporaryWorld();
    const broken = { files: { Dockerfile: 'FROM scratch\nLABEL a=b\n' }, script: 'exit 3' };
    await expect(make(world, broken, { tag: 'app:1' })).rejects.toMatchObject({ code: 'BUILD_FAILED' });
    const store = await storeOf(world);
    expect(await builtImages(store).find({ path: 'app', tag: '1' })).toBeUndefined();
    expect(await readdir(join(store.directory, 'images/tmp'))).toEqual([]);
  });

  it('is not built after a signal', async () => {
    await using world = await temporaryWorld();
    const end = new AbortController();
    const onEvent = ({ type }: BuildEvent) => type === 'step' && end.abort(new Error('enough'));
    const settings = world.settings({}, { signal: end.signal });
    await expect(make(world, { files }, { tag: 'app:1', onEvent }, settings)).rejects.toThrow('enough');
    expect(await builtImages(await storeOf(world)).find({ path: 'app', tag: '1' })).toBeUndefined();
  });

  it('is compared with a second build where that is wanted', async () => {
    await using world = await temporaryWorld();
    const { differences } = await make(world, { files }, { tag: 'app:1', verify: true });
    expect(differences).toMatchObject({ isSame: true });
    const counting = `${'n=$(cat "$0.n" 2>/dev/null); echo "x$n" >"$0.n"; '}test "$n" && exec cat "$0.other"; cat "$0.archive"`;
    await overlayImage(world, 'other', { archived: [{ name: 'etc/motd', data: 'other' }] });
    const script = counting.replace('$0.other', join(world.path, 'other/tar.archive'));
    const second = await make(world, { files, script }, { tag: 'app:1', verify: true });
    expect(second.differences).toMatchObject({ isSame: false, instructions: [expect.stringContaining('ADD ovl.tar')] });
  });

  it('in which a later layer replaces a private key causes a warning, also from the cache', async () => {
    await using world = await temporaryWorld();
    const key = `-----BEGIN ${'PRIVATE'} KEY-----\nkey\n`;
    const context = { Dockerfile: 'FROM scratch\nCOPY key /etc/key\nCOPY other /etc/key\n', key, other: 'other' };
    const options = { tag: 'app:1', context: join(world.path, 'image') };
    const warning = expect.stringMatching(/^a private key is still in the image although \/etc\/key is gone: COPY key/);
    expect((await make(world, { files: context }, options)).warnings).toEqual([warning]);
    expect((await make(world, { files: context }, options)).warnings).toEqual([warning]);
  });
});

describe('an image of a manifest.json', () => {
  const manifest = { files: { 'manifest.json': MANIFEST } };

  it('has the name in it, and is not built again', async () => {
    await using world = await temporaryWorld();
    const first = await make(world, manifest);
    expect([formatReference(first.name), first.cached]).toEqual(['example.com/a/b:1.2', false]);
    const second = await make(world, { ...manifest, script: 'exit 3' });
    expect(second).toMatchObject({ digest: first.digest, cached: true, said: '', steps: [] });
    expect(second.built).toBeUndefined();
  });

  it('is built again if that is wanted, or if a part of it is gone', async () => {
    await using world = await temporaryWorld();
    const { digest, built } = await make(world, manifest);
    for (const options of [{ force: true }, { noCache: true }, { verify: true }]) {
      expect(await make(world, manifest, options)).toMatchObject({
        cached: false,
        digest,
        said: expect.stringMatching(/said/),
      });
    }
    const { objects } = await storeOf(world);
    const layer = built?.layers[0]?.descriptor.digest as Digest;
    const hex = digestHex(layer);
    await objects.delete([`docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`]);
    expect(await make(world, manifest)).toMatchObject({ cached: false, digest });
  });

  it('is built under another name where one is given', async () => {
    await using world = await temporaryWorld();
    expect(formatReference((await make(world, manifest, { tag: 'c:3' })).name)).toBe('c:3');
  });
});

describe('the times of an image', () => {
  const created = async (world: TemporaryWorld, epoch: string) => {
    const { built } = await make(world, { files }, { tag: 'app:1' }, world.settings({ SOURCE_DATE_EPOCH: epoch }));
    return decodeConfig(built?.config ?? Buffer.of()).created;
  };

  it('are those of $SOURCE_DATE_EPOCH', async () => {
    await using world = await temporaryWorld();
    expect(await created(world, '1700000000')).toMatch(/^2023-11-14T22:13:20/);
    expect(await created(world, '')).toMatch(/^19[78]0-01-01T/);
  });

  it.each(['yesterday', '-1', '1.5', '1'.repeat(13)])('are not [%s]', async (epoch) => {
    await using world = await temporaryWorld();
    await expect(created(world, epoch)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `SOURCE_DATE_EPOCH is not a number of seconds [${epoch}]`,
    });
  });
});

it('an image on a base image has its layers, which are kept in the store', async () => {
  await using ends = await hostsAndStore();
  const base = buildImage({ layers: [layerOf([{ name: 'bin/' }, { name: 'bin/app', data: 'app' }])] });
  await ends.load('docker.io/library/base:1', base);
  const settings = ends.world.settings({}, { data: join(ends.world.path, 'store') });
  const dockerfile = 'FROM base:1\nADD ovl.tar /\n';
  const { name, digest } = await make(ends.world, { files: { Dockerfile: dockerfile } }, { tag: 'app:1' }, settings);
  const manifest = decodeManifest(await builtImages(ends.store).reader.getManifest(name.path, digest));
  const layers = manifest.kind === 'image' ? manifest.layers : [];
  expect([layers.length, layers[0]?.digest]).toEqual([2, base.blobs[1]?.digest]);
  await ends.store.stripped.deleteManifest('library/base', base.manifest.digest as Digest);
  await using tree = await openTree({ image: 'app:1' }, settings);
  expect(['bin/app', 'etc/motd'].map((path) => findPath(tree.tree, path) !== undefined)).toEqual([true, true]);
});
