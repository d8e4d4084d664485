import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, type FixtureImage, layerOf } from '../../../test/fixtures/image.ts';
import { tar } from '../../../test/fixtures/tar.ts';
import { makeBlob, makeImage, push, readAll } from '../../copy/testing/images.ts';
import { memoryRegistry } from '../../copy/testing/memory-registry.ts';
import { type Digest, digestHex } from '../../oci/digest.ts';
import { decodeManifest } from '../../oci/manifest.ts';
import { formatReference } from '../../oci/reference.ts';
import { startServer } from '../../server/testing/start.ts';
import { storedIndex } from '../../storage/builds/layer-indexes.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';
import { type FakeEngine, fakeEngine } from '../../transports/docker-daemon/testing/fake-engine.ts';
import { registrySource } from '../../transports/registry-source.ts';
import type { Transport } from '../../transports/transport.ts';
import type { Settings } from '../settings.ts';
import { putBuilt } from '../testing/built-image.ts';
import { type HostsAndStore, hostsAndStore, putFixture } from '../testing/hosts-and-store.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { type OpenSourceOptions, openSource, packed } from './open-source.ts';

const plain = [{ name: 'etc/' }, { name: 'etc/motd', data: 'hello' }];
const image = buildImage({ layers: [layerOf(plain)] });
const other = buildImage({ layers: [layerOf(plain)], cmd: ['/other'] });
/** By which Docker knows `image`: its config's digest. */
const id = image.blobs[0]?.digest as Digest;

/** Settings whose store is the one of `ends`. */
function stored({ world }: HostsAndStore, env: Readonly<Record<string, string>> = {}, more: Partial<Settings> = {}) {
  return world.settings(env, { data: join(world.path, 'store'), ...more });
}

async function rootOf(text: string, settings: Settings, options?: OpenSourceOptions) {
  await using opened = await openSource(text, settings, options);
  return (await opened.source.root()).digest;
}

describe('a bare name', () => {
  it('is the image that was built here, before one that was cached', async () => {
    await using ends = await hostsAndStore();
    await ends.load('quay.io/a/b:1', image);
    const built = await putBuilt(ends.store, 'quay.io/a/b:1', other);
    expect(await rootOf('quay.io/a/b:1', stored(ends))).toBe(built);
    // A digest says which one is meant; what was built has a name only.
    const cached = `quay.io/a/b@${image.manifest.digest}`;
    expect(await rootOf(cached, stored(ends))).toBe(image.manifest.digest);
  });

  it('is an image of the store, with its blobs and its remembered layer indexes', async () => {
    await using ends = await hostsAndStore();
    await ends.load('quay.io/a/b:1', image);
    await using opened = await openSource('quay.io/a/b:1', stored(ends));
    const manifest = decodeManifest(await opened.source.root());
    if (manifest.kind !== 'image') throw new Error('no image');
    expect(await readAll(await opened.source.blob(manifest.config, 0))).toEqual(
      Buffer.from(image.blobs[0]?.bytes ?? []),
    );
    expect(opened.name && formatReference(opened.name)).toBe('quay.io/a/b:1');
    expect(opened.source.label).toBe('quay.io/a/b:1');
    const layer = image.blobs[1]?.digest as Digest;
    await opened.indexOf?.(layer).save(Buffer.from('index'));
    expect(await storedIndex(ends.store.objects, layer).load()).toEqual(Buffer.from('index'));
  });

  it('is an image of the private registry that the environment names', async () => {
    await using ends = await hostsAndStore();
    const registry = storedRegistry(memoryStore());
    await putFixture(registry, { path: 'a/b', tag: '1' }, image);
    await using server = await startServer(registry);
    const settings = ends.world.settings({ LOCAL_REGISTRY: server.host });
    expect(await rootOf('a/b:1', settings)).toBe(image.manifest.digest);
    await expect(openSource('a/b:2', settings)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  });

  it('that is nowhere is an error with a hint where else it may be', async () => {
    await using world = await temporaryWorld();
    await expect(openSource('quay.io/a/b:1', world.settings())).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
      message: 'no such image [quay.io/a/b:1]',
      hint: expect.stringMatching(/`images lreg_cache quay.io\/a\/b:1` .* docker:\/\/quay.io\/a\/b:1 /),
    });
    await expect(openSource(`sha256:${'a'.repeat(64)}`, world.settings())).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
      hint: 'Only a Docker daemon knows images by id.',
    });
  });

  it('is looked up with one note if the Docker daemon cannot be asked', async () => {
    await using world = await temporaryWorld();
    await expect(openSource('a:1', world.settings())).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    expect(world.notes).toEqual([expect.stringContaining('the Docker daemon is left out')]);
  });
});

describe('a bare name that a Docker daemon has', () => {
  /** The daemon has `image` as `app:1`. `paths` are those that were asked for. */
  async function daemonAt(socket: string): Promise<FakeEngine & { readonly paths: string[] }> {
    const paths: string[] = [];
    const engine = await fakeEngine(socket, (path, _, response) => {
      paths.push(path);
      const json = (value: unknown): ServerResponse => response.end(JSON.stringify(value));
      if (/^\/images\/(?:app:1|(?:sha256:)?[0-9a-f]{64})\/json/.test(path)) {
        json({ Id: id, RepoTags: ['app:1'], RepoDigests: [], RootFS: { Layers: [] }, Os: 'linux' });
      } else if (path.startsWith('/images/get')) response.end(savedImage(image));
      else response.writeHead(404).end('{"message":"not here"}');
    });
    return { ...engine, paths };
  }

  it('is taken from there if neither was built nor cached, or if the daemon is to be asked first', async () => {
    await using ends = await hostsAndStore();
    await using engine = await daemonAt(join(ends.world.path, 'd.sock'));
    const settings = stored(ends, { DOCKER_HOST: engine.host });
    await using found = await openSource('app:1', settings);
    expect([found.source.label, found.name && formatReference(found.name)]).toEqual(['docker-daemon:app:1', 'app:1']);
    await ends.load('docker.io/library/app:1', other);
    expect(await rootOf('app:1', settings)).toBe(other.manifest.digest);
    await using first = await openSource('app:1', settings, { order: 'daemon' });
    expect(first.source.label).toBe('docker-daemon:app:1');
    const manifest = decodeManifest(await first.source.root());
    expect(manifest.kind === 'image' && manifest.config.digest).toBe(id);
  });

  it('is read from the store where that has the same image, and the daemon exports nothing', async () => {
    await using ends = await hostsAndStore();
    await using engine = await daemonAt(join(ends.world.path, 'd.sock'));
    await ends.load('docker.io/library/app:1', image);
    const settings = stored(ends, { DOCKER_HOST: engine.host });
    expect(await rootOf('app:1', settings, { order: 'daemon' })).toBe(image.manifest.digest);
    expect(engine.paths.filter((path) => path.startsWith('/images/get'))).toEqual([]);
  });

  it('is found by its id', async () => {
    await using ends = await hostsAndStore();
    await using engine = await daemonAt(join(ends.world.path, 'd.sock'));
    await using found = await openSource(id, stored(ends, { DOCKER_HOST: engine.host }));
    expect(found.name && formatReference(found.name)).toBe('app:1');
  });

  /** As Docker before 25 saves it: uncompressed layers, and a list. */
  function savedImage({ blobs }: FixtureImage): Uint8Array {
    const config = `${digestHex(id)}.json`;
    const list = [{ Config: config, RepoTags: ['app:1'], Layers: ['layer.tar'] }];
    return tar([
      { name: 'layer.tar', data: tar(plain) },
      { name: config, data: blobs[0]?.bytes ?? '' },
      { name: 'manifest.json', data: JSON.stringify(list) },
    ]);
  }
});

describe('a transport', () => {
  it('is closed after its source, whoever owns it', async () => {
    const closed: string[] = [];
    const registry = memoryRegistry();
    await push(registry, 'a:1', makeImage({ layers: [makeBlob('layer')] }));
    const transport: Transport = {
      name: 'own',
      openSource: async () => ({
        source: {
          ...registrySource(registry, { path: 'a', tag: '1' }),
          [Symbol.asyncDispose]: async () => void closed.push('source'),
        },
        owner: { [Symbol.asyncDispose]: async () => void closed.push('owner') },
      }),
    };
    await using world = await temporaryWorld();
    const opened = await openSource('own:x', world.settings({}, { transports: [transport] }));
    expect([opened.name, opened.indexOf, closed]).toEqual([undefined, undefined, []]);
    await opened[Symbol.asyncDispose]();
    expect(closed).toEqual(['source', 'owner']);
  });

  it('without sources is an error', async () => {
    await using world = await temporaryWorld();
    await expect(openSource('own:x', world.settings({}, { transports: [{ name: 'own' }] }))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'no image can be read from there [own:x]',
    });
  });
});

it('layers stay as they are without a spool', async () => {
  const source = registrySource(memoryRegistry(), { path: 'a', tag: '1' });
  expect(await packed(source, undefined)).toBe(source);
});
