import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, buildIndex, layerOf } from '../../../test/fixtures/image.ts';
import { readAll } from '../../copy/testing/images.ts';
import { memoryRegistry } from '../../copy/testing/memory-registry.ts';
import { type Asked, watchedRegistry } from '../../copy/testing/watched-registry.ts';
import type { Digest } from '../../oci/digest.ts';
import { startServer, type TestServer } from '../../server/testing/start.ts';
import { looseBlobs } from '../../storage/builds/loose-blobs.ts';
import { putBuilt } from '../testing/built-image.ts';
import { type HostsAndStore, hostsAndStore, putFixture } from '../testing/hosts-and-store.ts';
import { type BaseOptions, baseImages } from './base-images.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64' };
const of = (text: string, architecture = 'amd64') =>
  buildImage({ architecture, layers: [layerOf([{ name: text, data: text }])] });
const image = of('one');
const [config, layer] = image.blobs;
const blob = { digest: layer?.digest as Digest, size: layer?.bytes.length ?? 0 };

function settingsOf({ world }: HostsAndStore) {
  return world.settings({}, { data: join(world.path, 'store') });
}

/** A registry that has `image` as `base:1`, and what it was asked for. */
async function upstream(
  first = image,
): Promise<TestServer & { readonly asked: Asked; put(next: typeof image): Promise<void> }> {
  const inner = memoryRegistry();
  const put = async (next: typeof image) => void (await putFixture(inner, { path: 'base', tag: '1' }, next));
  await put(first);
  const { registry, asked } = watchedRegistry(inner);
  return { ...(await startServer(registry)), asked, put };
}

/** The config and the layers' bytes of a base, as one build sees them. */
async function read(ends: HostsAndStore, name: string, options: BaseOptions = {}, platform = AMD64) {
  await using bases = baseImages(ends.store, settingsOf(ends), options);
  const base = await bases.image(name, platform);
  const layers = await Promise.all(base.layers.map(async (one) => await readAll(await one.open())));
  return { name: base.name, config: Buffer.from(base.config), layers };
}

const expected = { config: Buffer.from(config?.bytes ?? []), layers: [Buffer.from(layer?.bytes ?? [])] };

describe('a base image', () => {
  it('is the one that was built here, or the one in the store', async () => {
    await using ends = await hostsAndStore();
    await ends.load('quay.io/a:1', of('cached'));
    await putBuilt(ends.store, 'quay.io/a:1', image);
    expect(await read(ends, 'quay.io/a:1')).toEqual({ name: 'quay.io/a:1', ...expected });
    await ends.load('quay.io/b:1', image);
    expect(await read(ends, 'quay.io/b:1')).toEqual({ name: 'quay.io/b:1', ...expected });
  });

  it('is read without its layers, which come into the store when they are needed, once', async () => {
    await using ends = await hostsAndStore();
    await using server = await upstream();
    await using bases = baseImages(ends.store, settingsOf(ends));
    const base = await bases.image(`${server.host}/base:1`, AMD64);
    const blobs = looseBlobs(ends.store.blobs);
    expect(await blobs.has(blob)).toBe(false);
    const [one] = base.layers;
    await Promise.all([one, one].map(async (each) => each && (await readAll(await each.open()))));
    expect(await blobs.has(blob)).toBe(true);
    expect(server.asked.blobs().get(blob.digest)).toBe(1);
  });

  it('of a registry is remembered with its layers, until it is asked for again', async () => {
    await using ends = await hostsAndStore();
    await using server = await upstream();
    const name = `${server.host}/base:1`;
    expect(await read(ends, name)).toEqual({ name, ...expected });
    await server.put(of('two'));
    server.asked.calls.length = 0;
    const again = await read(ends, name);
    expect([again.config, again.layers]).toEqual([expected.config, expected.layers]);
    expect(again.name).toBe(`${server.host}/base@${image.manifest.digest}`);
    expect(server.asked.calls).toEqual([]);
    const fresh = await read(ends, name, { pull: true });
    expect(fresh.config).toEqual(Buffer.from(of('two').blobs[0]?.bytes ?? []));
    // And what was asked for again is what is remembered.
    expect((await read(ends, name)).config).toEqual(fresh.config);
  });

  it('that is remembered has missing layers fetched from its registry, by its digest', async () => {
    await using ends = await hostsAndStore();
    await using server = await upstream();
    await using bases = baseImages(ends.store, settingsOf(ends));
    await bases.image(`${server.host}/base:1`, AMD64);
    await server.put(of('two'));
    expect((await read(ends, `${server.host}/base:1`)).layers).toEqual(expected.layers);
  });

  it('is the one for the platform; each platform is remembered separately', async () => {
    await using ends = await hostsAndStore();
    const arm = of('arm', 'arm64');
    await using server = await upstream(buildIndex([image, arm]));
    const name = `${server.host}/base:1`;
    for (const _ of ['asked', 'remembered']) {
      expect((await read(ends, name, {}, AMD64)).config).toEqual(expected.config);
      expect((await read(ends, name, {}, ARM64)).config).toEqual(Buffer.from(arm.blobs[0]?.bytes ?? []));
    }
    await expect(read(ends, name, {}, { os: 'linux', architecture: 's390x' })).rejects.toMatchObject({
      code: 'PLATFORM_UNKNOWN',
    });
  });

  it('that is nowhere is reported, and so is an invalid name', async () => {
    await using ends = await hostsAndStore();
    await using server = await upstream();
    await expect(read(ends, `${server.host}/absent:1`)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:MANIFEST|NAME)_UNKNOWN$/),
    });
    await expect(read(ends, 'Not A Name')).rejects.toMatchObject({ code: 'REFERENCE_INVALID' });
  });
});
