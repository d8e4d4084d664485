import { beforeEach, describe, expect, it } from 'vitest';
import { collect, type Image, imageOf, opener, pushImage } from '../../../test/contract/content.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { nameRecords } from '../../storage/repositories/name-records.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';
import type { Registry } from '../contract.ts';
import { forgettingNames } from './forgetting-names.ts';
import type { NameRecords } from './full-names.ts';
import { hostNames } from './host-names.ts';

const first = imageOf('first');
const second = imageOf('second');
const third = imageOf('third');

let stripped: Registry;
let names: NameRecords;
let registry: Registry;

beforeEach(() => {
  const store = memoryStore();
  stripped = storedRegistry(store);
  names = nameRecords(store.objects);
  registry = hostNames(forgettingNames(stripped, names), names);
});

/** What `lreg_cache HOST/PATH:TAG` writes: an image under the stripped name, and the recorded full name. */
async function cache(host: string, path: string, tag: string, image: Image): Promise<void> {
  await pushImage(stripped, path, image, [tag]);
  await names.set(host, path, tag, image.manifest.digest);
}

async function found(repository: string, reference: string, host?: string): Promise<string | undefined> {
  const images = new Map([first, second, third].map((image) => [image.manifest.digest as string, image]));
  const options = host === undefined ? {} : { host };
  const stat = await registry.statManifest(repository, reference, options);
  const get = await registry.getManifest(repository, reference, options).then(
    (manifest) => manifest.digest,
    () => undefined,
  );
  expect(get).toBe(stat?.digest);
  const image = stat && images.get(stat.digest);
  return image && (image === first ? 'first' : image === second ? 'second' : 'third');
}

describe('two hosts with the same path', () => {
  beforeEach(async () => {
    await cache('docker.io', 'calico/node', 'v1', first);
    await cache('quay.io', 'calico/node', 'v1', second);
  });

  it('have images that are each found at their host', async () => {
    expect(await found('calico/node', 'v1', 'docker.io')).toBe('first');
    expect(await found('calico/node', 'v1', 'quay.io')).toBe('second');
  });

  it('have images that are found by a full name in the path', async () => {
    expect(await found('docker.io/calico/node', 'v1')).toBe('first');
    expect(await found('quay.io/calico/node', 'v1')).toBe('second');
  });

  it('mean, without a host, what was cached last', async () => {
    expect(await found('calico/node', 'v1')).toBe('second');
  });

  it('have images that are not found at a third host', async () => {
    expect(await found('calico/node', 'v1', 'ghcr.io')).toBeUndefined();
    expect(await found('ghcr.io/calico/node', 'v1')).toBeUndefined();
  });

  it('have images that are found by digest whatever the host', async () => {
    for (const host of [undefined, 'docker.io', 'quay.io', 'ghcr.io']) {
      expect(await found('calico/node', first.manifest.digest, host)).toBe('first');
      const { body } = await registry.getBlob('calico/node', first.config.descriptor.digest, host ? { host } : {});
      expect(await collect(body)).toEqual(first.config.bytes);
    }
    expect(await found('ghcr.io/calico/node', first.manifest.digest)).toBe('first');
  });

  it('are one name in the catalogue', async () => {
    expect(await Array.fromAsync(registry.repositories())).toEqual(['calico/node']);
  });

  it('lose their records one by one when their manifests are deleted', async () => {
    await registry.deleteTag('calico/node', 'v1');
    expect(await names.get('quay.io', 'calico/node', 'v1')).toBeUndefined();
    expect(await found('calico/node', 'v1', 'docker.io')).toBe('first');
    await registry.deleteManifest('calico/node', first.manifest.digest);
    expect(await Array.fromAsync(names.all())).toEqual([]);
  });
});

describe('a name without a recorded host', () => {
  it('is found for any host: as in a volume of another registry', async () => {
    await pushImage(stripped, 'calico/node', first, ['v1']);
    for (const host of [undefined, 'docker.io', 'quay.io', 'localhost:5000']) {
      expect(await found('calico/node', 'v1', host)).toBe('first');
    }
    expect(await found('quay.io/calico/node', 'v1')).toBe('first');
  });

  it('can belong to one host for one tag, and to any host for another', async () => {
    await cache('docker.io', 'calico/node', 'v1', first);
    await pushImage(stripped, 'calico/node', second, ['v2']);
    expect(await found('calico/node', 'v1', 'quay.io')).toBeUndefined();
    expect(await found('calico/node', 'v2', 'quay.io')).toBe('second');
    expect(await Array.fromAsync(registry.tags('calico/node', '', { host: 'quay.io' }))).toEqual(['v2']);
    expect(await Array.fromAsync(registry.tags('calico/node', '', { host: 'docker.io' }))).toEqual(['v1', 'v2']);
  });
});

describe('a repository that is named with its host', () => {
  it('is found by the name it was pushed under, and at its host', async () => {
    await pushImage(registry, 'docker.io/calico/node', first, ['v1']);
    expect(await found('docker.io/calico/node', 'v1')).toBe('first');
    expect(await found('calico/node', 'v1', 'docker.io')).toBe('first');
    expect(await found('calico/node', 'v1', 'quay.io')).toBeUndefined();
    expect(await found('calico/node', 'v1')).toBeUndefined();
    const { digest } = first.config.descriptor;
    expect(await registry.statBlob('calico/node', digest, { host: 'docker.io' })).toBeDefined();
  });

  it('comes after the recorded name and before the stripped one', async () => {
    await pushImage(registry, 'docker.io/calico/node', first, ['v1']);
    await pushImage(registry, 'calico/node', second, ['v1']);
    expect(await found('calico/node', 'v1', 'docker.io')).toBe('first');
    await cache('docker.io', 'calico/node', 'v1', third);
    expect(await found('calico/node', 'v1', 'docker.io')).toBe('third');
  });
});

describe('official images', () => {
  it('have two names, whichever they were stored under', async () => {
    await pushImage(stripped, 'alpine', first, ['3']);
    await pushImage(stripped, 'library/busybox', second, ['1']);
    expect(await found('library/alpine', '3')).toBe('first');
    expect(await found('busybox', '1')).toBe('second');
    expect(await found('docker.io/busybox', '1')).toBe('second');
    expect(await found('busybox', '1', 'index.docker.io')).toBe('second');
    expect(await Array.fromAsync(registry.tags('busybox'))).toEqual(['1']);
    expect(await registry.statBlob('library/alpine', first.config.descriptor.digest)).toMatchObject({
      size: first.config.bytes.length,
    });
  });

  it('are recorded once for all spellings of Docker Hub', async () => {
    await cache('docker.io', 'alpine', '3', first);
    for (const host of ['docker.io', 'index.docker.io', 'registry-1.docker.io']) {
      expect(await found('alpine', '3', host)).toBe('first');
      expect(await found('library/alpine', '3', host)).toBe('first');
    }
    expect(await found('library/alpine', '3', 'quay.io')).toBeUndefined();
    expect((await Array.fromAsync(names.all())).map((name) => `${name.host}/${name.path}:${name.tag}`)).toEqual([
      'docker.io/library/alpine:3',
    ]);
  });

  it('have their referrers under both names, each once', async () => {
    const { mediaType, digest, size } = first.manifest;
    const signature = imageOf('signature', { subject: { mediaType, digest, size } });
    await pushImage(stripped, 'library/alpine', signature);
    await pushImage(stripped, 'alpine', signature);
    expect(await Array.fromAsync(registry.referrers('alpine', digest))).toHaveLength(1);
  });

  it('can be pushed under one name when their blobs are known under the other', async () => {
    await pushImage(registry, 'library/alpine', first, ['3']);
    // A client finds all blobs present, and pushes only the manifest.
    expect(await registry.statBlob('alpine', first.config.descriptor.digest)).toBeDefined();
    await registry.putManifest('alpine', first.manifest, ['mine']);
    expect((await stripped.statManifest('alpine', 'mine'))?.digest).toBe(first.manifest.digest);
    expect(await stripped.statBlob('alpine', first.config.descriptor.digest)).toBeDefined();
  });

  it('are not found under a deeper path', async () => {
    await pushImage(stripped, 'library/a/b', first, ['1']);
    expect(await found('a/b', '1')).toBeUndefined();
  });
});

describe('recorded names', () => {
  it('say which hosts a path and tag are recorded for', async () => {
    await names.set('quay.io', 'calico/node', 'v1', second.manifest.digest);
    await names.set('docker.io', 'calico/node', 'v1', first.manifest.digest);
    await names.set('localhost:5000', 'calico/node', 'v2', first.manifest.digest);
    expect(await names.hostsOf('calico/node', 'v1')).toEqual([
      { host: 'docker.io', digest: first.manifest.digest },
      { host: 'quay.io', digest: second.manifest.digest },
    ]);
    expect(await names.hostsOf('calico/node', 'v3')).toEqual([]);
    expect(await names.tags('localhost:5000', 'calico/node')).toEqual(['v2']);
    await names.delete('quay.io', 'calico/node', 'v1');
    await names.delete('quay.io', 'calico/node', 'v1');
    expect(await names.get('quay.io', 'calico/node', 'v1')).toBeUndefined();
  });

  it('of a manifest that is gone are ignored', async () => {
    await names.set('docker.io', 'calico/node', 'v1', third.manifest.digest);
    await registry.putBlob('calico/node', first.config.descriptor, opener(first.config.bytes));
    expect(await found('calico/node', 'v1', 'docker.io')).toBeUndefined();
  });
});

describe('a lookup that finds nothing', () => {
  it.each([
    ['library/app', undefined],
    ['app', undefined],
    ['app', 'docker.io'],
    ['docker.io/app', undefined],
  ])(
    'says that [%s] (at %s) lacks the manifest or blob, if any spelling of the repository is there',
    async (name, host) => {
      await pushImage(stripped, 'library/app', first, ['1']);
      const options = host === undefined ? {} : { host };
      const { digest } = second.manifest;
      await expect(registry.getBlob(name, digest, options)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
      await expect(registry.getManifest(name, digest, options)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
      expect(await registry.statBlob(name, digest, options)).toBeUndefined();
    },
  );

  it('says that the repository is unknown, if no spelling of it is there', async () => {
    await pushImage(stripped, 'library/app', first, ['1']);
    const { digest } = first.manifest;
    await expect(registry.getBlob('team/app', digest)).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
    await expect(registry.getManifest('team/app', '1')).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
  });
});
