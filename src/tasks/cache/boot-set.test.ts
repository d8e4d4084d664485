import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { buildImage, buildIndex, type FixtureImage, layerOf } from '../../../test/fixtures/image.ts';
import { digestOf } from '../../oci/digest.ts';
import { parsePlatformChoice } from '../../oci/platform.ts';
import { type HostsAndStore, hostsAndStore } from '../testing/hosts-and-store.ts';
import { type BootSet, bootSet } from './boot-set.ts';

const forPlatform = (architecture: string, name = 'a'): FixtureImage =>
  buildImage({ architecture, layers: [layerOf([{ name, data: architecture }])] });
const amd64 = forPlatform('amd64');
const arm64 = forPlatform('arm64');
const both = buildIndex([amd64, arm64]);
const digestIn = (image: FixtureImage, at: number) => digestOf(image.blobs[at]?.bytes ?? new Uint8Array());

/** The boot set of `docker.io/a/b:1`, `wanted` by default, in a store with these images. */
async function setOf(
  images: Readonly<Record<string, FixtureImage>>,
  options: {
    readonly platforms?: string;
    readonly wanted?: readonly string[];
    spoil?(ends: HostsAndStore): Promise<void>;
  },
): Promise<BootSet> {
  await using ends = await hostsAndStore();
  for (const [name, image] of Object.entries(images)) await ends.load(name, image);
  await options.spoil?.(ends);
  const { wanted = ['docker.io/a/b:1'], platforms = 'linux/amd64' } = options;
  const found = await bootSet(
    { items: ['-'], input: Readable.from([Buffer.from(wanted.join('\n'))]), platforms: parsePlatformChoice(platforms) },
    ends.world.settings({}, { data: join(ends.world.path, 'store') }),
  );
  expect(ends.asked).toEqual([]);
  return found;
}

const lacksOf = async (...given: Parameters<typeof setOf>) => (await setOf(...given)).images.map(({ lacks }) => lacks);

describe('the boot set', () => {
  it('is complete if all manifests and blobs for the platforms are there; each counts once', async () => {
    const images = { 'docker.io/a/b:1': both, 'quay.io/c/d:2': buildIndex([amd64]) };
    const wanted = Object.keys(images);
    const found = await setOf(images, { wanted });
    expect(found.images).toEqual(wanted.map((image) => ({ image, lacks: [] })));
    expect(found).toMatchObject({ platforms: ['linux/amd64'], manifests: 3, blobs: 2 });
    expect(found.bytes).toBe(amd64.blobs.reduce((sum, { bytes }) => sum + bytes.length, 0));
    expect(await setOf(images, { wanted, platforms: 'all' })).toMatchObject({ platforms: ['all'], blobs: 4 });
  });

  it('lacks an image that is not there, or only from another host', async () => {
    expect(await lacksOf({ 'quay.io/a/b:1': both }, {})).toEqual([[{ kind: 'image' }]]);
  });

  it('lacks a platform that no child is for, and that the config of a lone image does not state', async () => {
    const lacking = [[{ kind: 'platform', platform: 'linux/arm64' }]];
    const platforms = 'linux/amd64,linux/arm64';
    expect(await lacksOf({ 'docker.io/a/b:1': buildIndex([amd64]) }, { platforms })).toEqual(lacking);
    expect(await lacksOf({ 'docker.io/a/b:1': amd64 }, { platforms })).toEqual(lacking);
  });

  it('lacks the manifest of a child that was not copied, if it is wanted', async () => {
    const images = { 'docker.io/a/b:1': { ...both, children: [amd64] } };
    expect(await lacksOf(images, {})).toEqual([[]]);
    expect(await lacksOf(images, { platforms: 'all' })).toMatchObject([[{ kind: 'manifest' }]]);
  });

  it('lacks blobs that are gone, and says which', async () => {
    for (const [at, kind] of [
      [0, 'config'],
      [1, 'layer'],
    ] as const) {
      const digest = digestIn(amd64, at);
      const lacks = await lacksOf(
        { 'docker.io/a/b:1': both },
        { spoil: ({ store }) => store.registry.deleteBlob('a/b', digest) },
      );
      expect(lacks).toMatchObject([[{ kind, digest }]]);
    }
  });

  it('lacks a layer that is kept elsewhere, and says where', async () => {
    const layer = { ...layerOf([{ name: 'w', data: 'w' }]), urls: ['https://layers.example.com/w'] };
    const type = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const image = buildImage({ layers: [{ ...layer, mediaType: type }], ownTypes: true });
    const there = { ...image, blobs: image.blobs.slice(0, 1) };
    expect(await lacksOf({ 'docker.io/a/b:1': there }, {})).toMatchObject([[{ kind: 'elsewhere', urls: layer.urls }]]);
  });
});
