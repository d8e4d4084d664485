import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  blobOf,
  bytesOf,
  chunked,
  collect,
  type Image,
  imageOf,
  manifestOf,
  pushImage,
} from '../../../test/contract/content.ts';
import { ImagesError } from '../../oci/errors.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { listFetchedTags } from '../../storage/repositories/fetched-tags.ts';
import type { Registry } from '../contract.ts';
import { type Proxied, type ProxiedOptions, proxied, type Upstream, upstreamRegistry } from './testing/proxied.ts';

const DOCKER = { host: 'docker.io' };
const QUAY = { host: 'quay.io' };
const first = imageOf('first');
const second = imageOf('second');

let docker: Upstream;
let quay: Upstream;
let here: Proxied;

const start = (options: Partial<ProxiedOptions> = {}) =>
  proxied({ hosts: { 'docker.io': docker, 'quay.io': quay }, ...options });

beforeEach(async () => {
  docker = upstreamRegistry();
  quay = upstreamRegistry();
  await docker.push('library/alpine', first, ['3']);
  here = start();
});

const config = (image: Image) => image.config.descriptor.digest;
const layer = (image: Image) => image.layers[0]?.descriptor.digest ?? config(image);
const blobsOf = (image: Image) => [image.config, ...image.layers];

async function pull(registry: Registry, path: string, tag: string, options: object = DOCKER): Promise<void> {
  const { digest } = await registry.getManifest(path, tag, options);
  const image = digest === first.manifest.digest ? first : second;
  for (const { descriptor, bytes } of blobsOf(image)) {
    const { body } = await registry.getBlob(path, descriptor.digest, options);
    expect(await collect(body)).toEqual(bytes);
  }
}

async function failure(work: Promise<unknown>): Promise<ImagesError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ImagesError)) throw new Error(`no ImagesError [${error}]`);
  return error;
}

/** Times of objects have milliseconds. */
const later = () => delay(3);
const gets = (upstream: Upstream) => upstream.asked.filter((what) => what.startsWith('GET'));
const isStored = (path: string, tag: string, proxy = here) => proxy.store.stripped.statManifest(path, tag);

describe('a pull of what is not here', () => {
  it('gets each part once, and stores the image under its stripped name, with the full name', async () => {
    await pull(here.registry, 'library/alpine', '3');
    await here.proxy.ended();
    expect(gets(docker).sort()).toEqual(
      [
        'GET manifest library/alpine:3',
        ...blobsOf(first).map(({ descriptor }) => `GET blob ${descriptor.digest} from 0`),
      ].sort(),
    );
    expect((await isStored('library/alpine', '3'))?.digest).toBe(first.manifest.digest);
    expect(await here.store.names.get('docker.io', 'library/alpine', '3')).toBe(first.manifest.digest);
    docker.asked.length = 0;
    await pull(here.registry, 'library/alpine', '3');
    expect(docker.asked).toEqual([]);
  });

  it('finds its host in `ns`, or at the beginning of the name, in any spelling of Docker Hub', async () => {
    await pull(here.registry, 'docker.io/library/alpine', '3', {});
    await pull(start().registry, 'alpine', '3', { host: 'registry-1.docker.io' });
    await pull(start().registry, 'index.docker.io/alpine', '3', {});
    await pull(start().registry, 'docker.io/alpine', '3', DOCKER);
  });

  it('does not assume Docker Hub for a bare name, unless images of it are here under that name', async () => {
    expect((await failure(here.registry.getManifest('library/alpine', '3'))).code).toBe('NAME_UNKNOWN');
    expect(docker.asked).toEqual([]);
    await pull(here.registry, 'library/alpine', '3');
    await docker.push('library/alpine', second, ['4']);
    await pull(here.registry, 'alpine', '4', {});
  });

  it('keeps two hosts with the same path two images', async () => {
    await quay.push('library/alpine', second, ['3']);
    await pull(here.registry, 'library/alpine', '3', DOCKER);
    await pull(here.registry, 'library/alpine', '3', QUAY);
    await here.proxy.ended();
    for (const [options, image] of [
      [DOCKER, first],
      [QUAY, second],
    ] as const) {
      expect((await here.registry.getManifest('library/alpine', '3', options)).digest).toBe(image.manifest.digest);
    }
  });

  it('asks no host that is not among those of the proxy', async () => {
    const error = await failure(here.registry.getManifest('library/alpine', '3', { host: 'other.example' }));
    expect(error.code).toBe('NAME_UNKNOWN');
    expect(docker.asked).toEqual([]);
  });

  it('asks nothing for who may not pull, whether it is there or not', async () => {
    const closed = start({ mayPull: (path) => path !== 'library/alpine' });
    await failure(closed.registry.getManifest('library/alpine', '3', DOCKER));
    await failure(closed.registry.getBlob('library/alpine', layer(first), DOCKER));
    expect(await closed.registry.statBlob('library/alpine', layer(first), DOCKER)).toBeUndefined();
    expect(docker.asked).toEqual([]);
  });

  it('stores nothing if only manifest and config were looked at', async () => {
    await here.registry.getManifest('library/alpine', '3', DOCKER);
    await collect((await here.registry.getBlob('library/alpine', config(first), DOCKER)).body);
    await here.proxy.ended();
    expect(gets(docker)).toHaveLength(2);
    expect(await isStored('library/alpine', '3')).toBeUndefined();
  });

  it('completes the image as soon as one layer is pulled', async () => {
    await here.registry.getManifest('library/alpine', '3', DOCKER);
    const { body } = await here.registry.getBlob('library/alpine', layer(first), DOCKER);
    await collect(body);
    await here.proxy.ended();
    expect((await isStored('library/alpine', '3'))?.digest).toBe(first.manifest.digest);
  });

  it('stores an index with the first of its images', async () => {
    const { digest, bytes } = first.manifest;
    const entry = { mediaType: first.manifest.mediaType, digest, size: bytes.length };
    const index = manifestOf({ mediaType: OCI_INDEX, manifests: [entry] });
    await docker.registry.putManifest('library/alpine', index, ['multi']);
    expect((await here.registry.getManifest('library/alpine', 'multi', DOCKER)).digest).toBe(index.digest);
    expect(await isStored('library/alpine', 'multi')).toBeUndefined();
    await here.registry.getManifest('library/alpine', digest, DOCKER);
    await collect((await here.registry.getBlob('library/alpine', layer(first), DOCKER)).body);
    await here.proxy.ended();
    expect((await isStored('library/alpine', 'multi'))?.digest).toBe(index.digest);
  });

  it('answers HEAD for a blob by HEAD, and only who says the host', async () => {
    expect((await here.registry.statBlob('library/alpine', layer(first), DOCKER))?.size).toBe(
      first.layers[0]?.bytes.length,
    );
    expect(docker.asked).toEqual([`HEAD blob ${layer(first)}`]);
    expect(await here.registry.statBlob('docker.io/library/alpine', layer(first))).toBeUndefined();
  });
});

describe('a tag that moves in mid-pull', () => {
  it('is pulled whole as it was, and looked for again later', async () => {
    await here.registry.getManifest('library/alpine', '3', DOCKER);
    await docker.push('library/alpine', second, ['3']);
    await pull(here.registry, 'library/alpine', '3');
    await here.proxy.ended();
    expect((await isStored('library/alpine', '3'))?.digest).toBe(first.manifest.digest);
    here.clock += 60_001;
    await pull(here.registry, 'library/alpine', '3');
    await here.proxy.ended();
    expect((await isStored('library/alpine', '3'))?.digest).toBe(second.manifest.digest);
  });

  it('is served as it was when its registry goes before the new one is here', async () => {
    await pull(here.registry, 'library/alpine', '3');
    await here.proxy.ended();
    await docker.push('library/alpine', second, ['3']);
    here.clock += 60_001;
    expect((await here.registry.getManifest('library/alpine', '3', DOCKER)).digest).toBe(second.manifest.digest);
    docker.fault = () => Promise.reject(new ImagesError('UNREACHABLE', 'no'));
    here.clock += 60_001;
    expect((await here.registry.getManifest('library/alpine', '3', DOCKER)).digest).toBe(first.manifest.digest);
  });
});

describe('many who pull at once', () => {
  it('cause one fetch of each part', async () => {
    await Promise.all(Array.from({ length: 8 }, () => pull(here.registry, 'library/alpine', '3')));
    await here.proxy.ended();
    expect(gets(docker)).toHaveLength(1 + blobsOf(first).length);
  });

  it('get one fetch for a blob of two repositories, which both have it then', async () => {
    await quay.push('team/app', first, ['1']);
    await Promise.all([pull(here.registry, 'library/alpine', '3', DOCKER), pull(here.registry, 'team/app', '1', QUAY)]);
    await here.proxy.ended();
    const fetched = [...gets(docker), ...gets(quay)].filter((what) => what.startsWith('GET blob'));
    expect(fetched).toHaveLength(blobsOf(first).length);
    expect((await isStored('team/app', '1'))?.digest).toBe(first.manifest.digest);
    expect((await isStored('library/alpine', '3'))?.digest).toBe(first.manifest.digest);
  });

  it('read what has come; a late one from the start, and who leaves ends nothing', async () => {
    const bytes = bytesOf('slow', 300_000);
    const blob = blobOf(bytes);
    await docker.registry.putBlob('library/alpine', blob.descriptor, async () => chunked(bytes));
    const gate = Promise.withResolvers<void>();
    docker.fault = async (what) => {
      if (!what.startsWith('GET blob')) return undefined;
      const body = (async function* () {
        yield bytes.slice(0, 200_000);
        await gate.promise;
        yield bytes.slice(200_000);
      })();
      return { descriptor: blob.descriptor, body };
    };
    const open = async () =>
      (await here.registry.getBlob('library/alpine', blob.descriptor.digest, DOCKER)).body[Symbol.asyncIterator]();
    const [early, leaving] = [await open(), await open()];
    expect((await early.next()).value?.length).toBe(200_000);
    await leaving.next();
    await leaving.return?.();
    const late = await open();
    expect((await late.next()).value?.length).toBe(200_000);
    const part = await here.registry.getBlob('library/alpine', blob.descriptor.digest, { ...DOCKER, from: 10, to: 20 });
    expect(await collect(part.body)).toEqual(bytes.subarray(10, 20));
    gate.resolve();
    for (const reader of [early, late]) {
      const rest = await Array.fromAsync({ [Symbol.asyncIterator]: () => reader });
      expect(Buffer.concat(rest)).toEqual(bytes.subarray(200_000));
    }
    expect(gets(docker)).toHaveLength(1);
  });
});

describe('tags that were fetched', () => {
  const at = { path: 'library/alpine', tag: '3' };
  const now = async (proxy = here) => (await proxy.registry.getManifest(at.path, at.tag, DOCKER)).digest;

  beforeEach(async () => {
    await pull(here.registry, at.path, at.tag);
    await here.proxy.ended();
    docker.asked.length = 0;
  });

  it('are looked for again by HEAD when they are no longer fresh', async () => {
    expect(await now()).toBe(first.manifest.digest);
    here.clock += 60_001;
    expect(await now()).toBe(first.manifest.digest);
    expect(docker.asked).toEqual(['HEAD manifest library/alpine:3']);
  });

  it('move when they have moved there', async () => {
    await docker.push(at.path, second, [at.tag]);
    here.clock += 60_001;
    expect(await now()).toBe(second.manifest.digest);
    expect(docker.asked).toEqual([
      'HEAD manifest library/alpine:3',
      `GET manifest library/alpine:${second.manifest.digest}`,
    ]);
    await pull(here.registry, at.path, at.tag);
    await here.proxy.ended();
    expect((await isStored(at.path, at.tag))?.digest).toBe(second.manifest.digest);
  });

  it('are served as they are when the registry is down, busy or slow, which is asked again a while later', async () => {
    for (const code of ['UNREACHABLE', 'TOOMANYREQUESTS', 'SERVER_ERROR', 'BAD_ANSWER', 'UNAUTHORIZED'] as const) {
      docker.asked.length = 0;
      docker.fault = () => Promise.reject(new ImagesError(code, 'no'));
      here.clock += 60_001;
      expect(await now()).toBe(first.manifest.digest);
      expect(await now()).toBe(first.manifest.digest);
      expect(docker.asked).toHaveLength(1);
    }
  });

  it('are served as they are offline, and nothing is asked', async () => {
    const offline = start({ store: here.store, rules: { isOffline: true } });
    expect(await now(offline)).toBe(first.manifest.digest);
    expect((await failure(offline.registry.getManifest(at.path, '4', DOCKER))).code).toBe('MANIFEST_UNKNOWN');
    await failure(offline.registry.getBlob(at.path, layer(second), DOCKER));
    expect(docker.asked).toEqual([]);
  });

  it('are fetched again when somebody has removed them here', async () => {
    await here.store.registry.deleteTag(at.path, at.tag, { unneeded: true });
    await pull(here.registry, at.path, at.tag);
    await here.proxy.ended();
    expect((await isStored(at.path, at.tag))?.digest).toBe(first.manifest.digest);
  });

  it('stay when they have gone there', async () => {
    await docker.registry.deleteTag(at.path, at.tag);
    here.clock += 60_001;
    expect(await now()).toBe(first.manifest.digest);
  });

  it('belong to whoever pushes over them, also the same image', async () => {
    for (const pushed of [second, first]) {
      await later();
      await pushImage(here.store.registry, at.path, pushed, [at.tag]);
      here.clock += 60_001;
      docker.asked.length = 0;
      expect(await now()).toBe(pushed.manifest.digest);
      expect(docker.asked).toEqual([]);
    }
  });

  it('belong to whoever caches them again', async () => {
    await later();
    await here.store.names.set('docker.io', at.path, at.tag, first.manifest.digest);
    here.clock += 60_001;
    await now();
    expect(docker.asked).toEqual([]);
  });

  it('are marked', async () => {
    const marked = await Array.fromAsync(listFetchedTags(here.store));
    expect(marked).toMatchObject([{ host: 'docker.io', ...at, digest: first.manifest.digest, isTag: true }]);
  });
});

describe('tags of the user', () => {
  it('are not moved, and hide what is elsewhere', async () => {
    await pushImage(here.store.registry, 'library/alpine', second, ['3']);
    expect((await here.registry.getManifest('library/alpine', '3', DOCKER)).digest).toBe(second.manifest.digest);
    expect(docker.asked).toEqual([]);
  });

  it('that were cached from another host stay what they are under the bare name', async () => {
    await pushImage(here.store.registry, 'library/alpine', second, ['3']);
    await here.store.names.set('quay.io', 'library/alpine', '3', second.manifest.digest);
    await pull(here.registry, 'library/alpine', '3', DOCKER);
    await here.proxy.ended();
    expect((await isStored('library/alpine', '3'))?.digest).toBe(second.manifest.digest);
    expect((await here.registry.getManifest('library/alpine', '3', DOCKER)).digest).toBe(first.manifest.digest);
  });

  it('that must not move do not', async () => {
    const fixed = start({ isFixed: () => true });
    await pull(fixed.registry, 'library/alpine', '3');
    await fixed.proxy.ended();
    expect((await isStored('library/alpine', '3', fixed))?.digest).toBe(first.manifest.digest);
  });
});

describe('another registry that misbehaves', () => {
  it('keeps no other waiting when it hangs', async () => {
    await quay.push('team/app', second, ['1']);
    const hanging = Promise.withResolvers<undefined>();
    docker.fault = (what) => (what.startsWith('GET blob') ? hanging.promise : undefined);
    const blobs = Array.from({ length: 40 }, (_, at) => blobOf(bytesOf(`hangs ${at}`, 10)));
    for (const { descriptor, bytes } of blobs) {
      await docker.registry.putBlob('library/alpine', descriptor, async () => chunked(bytes));
    }
    const waiting = blobs.map(({ descriptor }) => here.registry.getBlob('library/alpine', descriptor.digest, DOCKER));
    await pull(here.registry, 'team/app', '1', QUAY);
    expect(gets(docker)).toHaveLength(6);
    hanging.resolve(undefined);
    for (const [at, { body }] of (await Promise.all(waiting)).entries()) {
      expect(await collect(body)).toEqual(blobs[at]?.bytes);
    }
  });

  it('gets a 404 believed for a while, and no longer', async () => {
    const ask = () => failure(here.registry.getManifest('library/none', '1', DOCKER));
    expect((await ask()).code).toBe('NAME_UNKNOWN');
    await ask();
    expect(docker.asked).toHaveLength(1);
    here.clock += 10_001;
    await ask();
    expect(docker.asked).toHaveLength(2);
  });

  it('is named to clients, with what it said, and nothing of the operator', async () => {
    docker.fault = () =>
      Promise.reject(
        new ImagesError('UNAUTHORIZED', 'credentials of [anna] from /root/.docker/config.json', {
          said: 'access denied',
        }),
      );
    const error = await failure(here.registry.getManifest('library/alpine', '3', DOCKER));
    expect(error.code).toBe('DENIED');
    expect(error.message).toBe(
      'docker.io does not let this registry have it [docker.io/library/alpine:3] (access denied)',
    );
    expect(`${error.message}${error.hint}`).not.toMatch(/anna|root/);
    docker.fault = () => Promise.reject(new ImagesError('UNREACHABLE', 'connect 10.0.0.1'));
    const other = await failure(here.registry.getManifest('library/alpine', '3', DOCKER));
    expect(other).toMatchObject({ code: 'UNREACHABLE', isPublic: true });
    expect(other.message).not.toContain('10.0.0.1');
  });

  it('does not get wrong bytes stored, and nobody gets the last of them', async () => {
    const bytes = Buffer.from(first.layers[0]?.bytes ?? []);
    const wrong = Buffer.from(bytes);
    wrong[0] = 255 - (wrong[0] ?? 0);
    docker.fault = async (what) =>
      what.startsWith('GET blob') ? { descriptor: first.layers[0]?.descriptor, body: chunked(wrong) } : undefined;
    await here.registry.getManifest('library/alpine', '3', DOCKER);
    const { body } = await here.registry.getBlob('library/alpine', layer(first), DOCKER);
    let count = 0;
    const reading = (async () => {
      for await (const chunk of body) count += chunk.length;
    })();
    expect((await failure(reading)).code).toBe('BAD_ANSWER');
    expect(count).toBeLessThan(bytes.length);
    await here.proxy.ended();
    expect(await here.store.blobs.find(layer(first))).toBeUndefined();
    docker.fault = () => undefined;
    await pull(here.registry, 'library/alpine', '3');
  });

  it('is gone on with where it broke off', async () => {
    const bytes = first.layers[0]?.bytes ?? Buffer.alloc(0);
    const half = bytes.length >> 1;
    docker.fault = async (what) => {
      if (what !== `GET blob ${layer(first)} from 0`) return undefined;
      const body = (async function* () {
        yield bytes.slice(0, half);
        throw new ImagesError('BROKEN_OFF', 'gone');
      })();
      return { descriptor: first.layers[0]?.descriptor, body };
    };
    const opened = await here.registry.getBlob('library/alpine', layer(first), DOCKER);
    expect((await failure(collect(opened.body))).code).toBe('BROKEN_OFF');
    await here.proxy.ended();
    const again = await here.registry.getBlob('library/alpine', layer(first), DOCKER);
    expect(await collect(again.body)).toEqual(bytes);
    expect(docker.asked.at(-1)).toBe(`GET blob ${layer(first)} from ${half}`);
  });

  it('is refused when it is this registry itself, near or far', async () => {
    const one: Proxied = start({ id: 'one', hosts: { 'docker.io': { ...reader(() => two.registry) } } });
    const two: Proxied = start({ id: 'two', hosts: { 'docker.io': { ...reader(() => one.registry) } } });
    const error = await failure(one.registry.getManifest('library/alpine', '3', DOCKER));
    expect(error.code).toBe('DENIED');
    const self: Proxied = start({ hosts: { 'docker.io': { ...reader(() => self.registry) } } });
    expect((await failure(self.registry.getManifest('library/alpine', '3', DOCKER))).code).toBe('DENIED');
    const via = await failure(here.registry.getManifest('library/alpine', '3', { ...DOCKER, via: ['a', 'me'] }));
    expect(via.message).toMatch(/^a loop: /);
  });
});

/** Asks another proxy as its client does. */
function reader(of: () => Registry): Registry {
  const registry = () => of();
  return {
    getManifest: (path: string, what: string, options: object) =>
      registry().getManifest(path, what, { ...options, ...DOCKER }),
    statManifest: (path: string, what: string, options: object) =>
      registry().statManifest(path, what, { ...options, ...DOCKER }),
  } as Registry;
}

describe('a registry that ends in mid-pull', () => {
  it('goes on afterwards with what it had, and stores the image without being asked for the manifest again', async () => {
    const data = memoryStore();
    const before = start({ store: data });
    const bytes = first.layers[0]?.bytes ?? Buffer.alloc(0);
    const half = bytes.length >> 1;
    docker.fault = async (what, options) => {
      if (what !== `GET blob ${layer(first)} from 0`) return undefined;
      const body = (async function* () {
        yield bytes.slice(0, half);
        await new Promise((_, reject) =>
          options?.signal?.addEventListener('abort', () => reject(options.signal?.reason)),
        );
      })();
      return { descriptor: first.layers[0]?.descriptor, body };
    };
    await before.registry.getManifest('library/alpine', '3', DOCKER);
    const { body } = await before.registry.getBlob('library/alpine', layer(first), DOCKER);
    const reading = collect(body).catch((error: unknown) => error);
    await setImmediate();
    await before.end();
    expect(await reading).toBeInstanceOf(Error);
    docker.asked.length = 0;
    const after = start({ store: data });
    const again = await after.registry.getBlob('library/alpine', layer(first), DOCKER);
    expect(await collect(again.body)).toEqual(bytes);
    await after.proxy.ended();
    expect(docker.asked).toContain(`GET blob ${layer(first)} from ${half}`);
    expect(docker.asked.filter((what) => what.includes('manifest'))).toEqual([]);
    expect((await isStored('library/alpine', '3', after))?.digest).toBe(first.manifest.digest);
  });
});

describe('where not everybody may pull everything', () => {
  it('a digest alone opens nothing: each repository has a blob from its own registry', async () => {
    await quay.push('team/app', first, ['1']);
    const closed = start({ isShared: () => false });
    await pull(closed.registry, 'team/app', '1', QUAY);
    await closed.proxy.ended();
    docker.fault = async (what) => {
      if (what.startsWith('GET blob')) throw new ImagesError('BLOB_UNKNOWN', 'no');
      return undefined;
    };
    await closed.registry.getManifest('library/alpine', '3', DOCKER);
    expect((await failure(closed.registry.getBlob('library/alpine', layer(first), DOCKER))).code).toBe('BLOB_UNKNOWN');
    docker.fault = () => undefined;
    await pull(closed.registry, 'library/alpine', '3');
    await closed.proxy.ended();
    expect((await isStored('library/alpine', '3', closed))?.digest).toBe(first.manifest.digest);
    expect(gets(docker).filter((what) => what.startsWith('GET blob')).length).toBeGreaterThanOrEqual(2);
  });
});
