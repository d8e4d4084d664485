import { describe, expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import { parseReference } from '../../oci/reference.ts';
import { emptyRegistry } from '../../server/testing/content.ts';
import { hostsAndStore, putFixture } from '../testing/hosts-and-store.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { parseRegistryAddress } from './local-registry.ts';
import { findImage, notLoaded, openPrivateRegistry, type PrivateRegistry, privateSink } from './private-registry.ts';

const image = buildImage({ layers: [layerOf([{ name: 'a', data: 'a' }])] });

describe('the embedded registry', () => {
  it('is not created in a named directory that holds no store', async () => {
    await using world = await temporaryWorld();
    const settings = world.settings({}, { data: world.path });
    await expect(openPrivateRegistry(settings)).rejects.toMatchObject({ code: 'NO_REGISTRY' });
    expect((await openPrivateRegistry(settings, { create: true })).store?.directory).toBe(world.path);
  });

  it('has an image under its names, with and without host, and not under another host’s', async () => {
    await using ends = await hostsAndStore();
    await ends.load('quay.io/a/b:1', image);
    await ends.load('docker.io/library/alpine:3', image);
    const find = async (name: string) =>
      (await findImage(parseReference(name), ends.registry, ends.settings))?.repository;
    expect(await Promise.all(['quay.io/a/b:1', 'a/b:1', 'alpine:3', 'library/alpine:3'].map(find))).not.toContain(
      undefined,
    );
    expect(await Promise.all(['ghcr.io/a/b:1', 'a/b:2', 'b:1'].map(find))).toEqual([undefined, undefined, undefined]);
  });

  it('records the full name of what is put', async () => {
    await using ends = await hostsAndStore();
    const sink = await privateSink(ends.registry);
    expect(sink.label).toBe('the store');
  });
});

describe('another registry', () => {
  const address = parseRegistryAddress('http://127.0.0.1:5000');

  async function registryWith(...names: readonly string[]): Promise<PrivateRegistry> {
    const registry = emptyRegistry();
    for (const name of names) {
      const { host, path, tag = 'latest' } = parseReference(name);
      await putFixture(registry, { path: host ? `${host}/${path}` : path, tag }, image);
    }
    return { label: 'other', registry, address };
  }

  it('may have an image under its path, or under its path with the host in front', async () => {
    await using world = await temporaryWorld();
    const registry = await registryWith('a/b:1', 'quay.io/c:1', 'library/alpine:3');
    const find = async (name: string) =>
      (await findImage(parseReference(name), registry, world.settings()))?.repository;
    expect(await find('quay.io/a/b:1')).toBe('a/b');
    expect(await find('quay.io/c:1')).toBe('quay.io/c');
    expect(await find('alpine:3')).toBe('library/alpine');
    expect(await find('quay.io/alpine:3')).toBeUndefined();
  });

  it('is meant by its own address before a name', async () => {
    await using world = await temporaryWorld();
    const registry = await registryWith('a/b:1');
    const find = async (name: string) =>
      (await findImage(parseReference(name), registry, world.settings()))?.repository;
    expect(await find('localhost:5000/a/b:1')).toBe('a/b');
    expect(await find('127.0.0.1:5000/a/b:1')).toBe('a/b');
  });
});

it('the error about an image that is not there names it', () => {
  expect(notLoaded(parseReference('quay.io/a/b:1'))).toMatchObject({
    code: 'MANIFEST_UNKNOWN',
    message: 'not in the private registry [quay.io/a/b:1]',
  });
});
