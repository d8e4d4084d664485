import { expect, it } from 'vitest';
import { buildImage, buildIndex, layerOf } from '../../../test/fixtures/image.ts';
import type { CopyEvent } from '../../copy/events.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { fullReference, parseReference } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import type { ImageHosts } from '../private-registry/registry-clients.ts';
import type { DebugEvent } from '../settings.ts';
import { hostsAndStore } from '../testing/hosts-and-store.ts';
import { cacheImages } from './cache-images.ts';

const of = (architecture: string) =>
  buildImage({ architecture, layers: [layerOf([{ name: 'a', data: architecture }])] });
const index = buildIndex([of('amd64'), of('arm64')]);

it('caching brings an image into the store, under its stripped and its full name', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.publish('quay.io/a/b:1', index);
  const result = await cacheImages([name], ends, { platforms: 'all' });
  expect(result).toMatchObject({ dryRun: false, failed: [] });
  expect(result.copied).toHaveLength(1);
  expect((await ends.store.stripped.statManifest('a/b', '1'))?.digest).toBe(index.manifest.digest);
  expect(await ends.store.names.hostsOf('a/b', '1')).toEqual([{ host: 'quay.io', digest: index.manifest.digest }]);
});

it('caching an image a second time fetches no blob', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.publish('quay.io/a/b:1', of('amd64'));
  const platforms = [{ os: 'linux', architecture: 'amd64' }];
  await cacheImages([name], ends, { platforms });
  expect((await cacheImages([name], ends, { platforms })).fetched).toBe(0);
});

it('caching can only plan', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.publish('quay.io/a/b:1', index);
  const { dryRun, planned, copied } = await cacheImages([name], ends, { platforms: 'all', dryRun: true });
  expect([dryRun, planned, copied]).toEqual([true, ['quay.io/a/b:1'], []]);
  expect(await Array.fromAsync(ends.store.registry.repositories())).toEqual([]);
});

it('caching ends with the first failure, or goes on and lists failures', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.publish('quay.io/a/b:1', of('amd64'));
  const absent = fullReference(parseReference('quay.io/a/absent:1'));
  const platforms = [{ os: 'linux', architecture: 'amd64' }];
  await expect(cacheImages([absent, name], ends, { platforms })).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
  const { copied, failed } = await cacheImages([absent, name], ends, { platforms, keepGoing: true });
  expect(copied).toHaveLength(1);
  expect(failed).toEqual([expect.objectContaining({ image: 'quay.io/a/absent:1' })]);
});

it('caching that goes on lists an image without a source as a failure', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.publish('quay.io/a/b:1', of('amd64'));
  const own = fullReference(parseReference('own.io/a/b:1'));
  const registryOf: ImageHosts['registryOf'] = (asked) => {
    if (asked.host === 'own.io') throw new ImagesError('UNSUPPORTED', 'no source of images');
    return ends.hosts.registryOf(asked);
  };
  const refusing = { ...ends, hosts: { ...ends.hosts, registryOf } };
  const platforms = [{ os: 'linux', architecture: 'amd64' }];
  await expect(cacheImages([own, name], refusing, { platforms })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  const { copied, failed } = await cacheImages([own, name], refusing, { platforms, keepGoing: true });
  expect(copied.map(({ image }) => image)).toEqual(['quay.io/a/b:1']);
  expect(failed.map(({ image, error }) => [image, error.code])).toEqual([['own.io/a/b:1', 'UNSUPPORTED']]);
});

it('caching brings the image for this machine alone, and fails for a platform that is not there', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.publish('quay.io/a/b:1', index);
  const missing = cacheImages([name], ends, { platforms: [{ os: 'linux', architecture: 's390x' }] });
  await expect(missing).rejects.toMatchObject({ code: 'PLATFORM_UNKNOWN' });
  await cacheImages([name], ends);
  const there = index.children.map(({ manifest }) =>
    ends.store.stripped.statManifest('a/b', manifest.digest as Digest),
  );
  const { architecture } = machinePlatform();
  expect((await Promise.all(there)).map((one) => one !== undefined)).toEqual(
    index.children.map((child) => child.architecture === architecture),
  );
});

it('caching with force checks everything again, and fetches no layer that is there', async () => {
  await using ends = await hostsAndStore();
  const image = of('amd64');
  const name = await ends.publish('quay.io/a/b:1', image);
  const platforms = [{ os: 'linux', architecture: 'amd64' }];
  await cacheImages([name], ends, { platforms });
  const layer = image.blobs[1]?.digest;
  const events: CopyEvent[] = [];
  const onEvent = (event: CopyEvent) => events.push(event);
  expect((await cacheImages([name], ends, { platforms, force: true, onEvent })).copied).toHaveLength(1);
  expect(events.filter((event) => event.type === 'blob' && event.digest === layer)).toEqual([]);
});

it('caching reports its steps to the listener and as debug events', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.publish('quay.io/a/b:1', of('amd64'));
  const events: CopyEvent[] = [];
  const debugged: DebugEvent[] = [];
  const settings = { ...ends.settings, onDebug: (event: DebugEvent) => debugged.push(event) };
  const platforms = [{ os: 'linux', architecture: 'amd64' }];
  await cacheImages([name], { ...ends, settings }, { platforms, onEvent: (event) => events.push(event) });
  expect(events).toContainEqual({ type: 'image', image: 'quay.io/a/b:1' });
  expect(events).toContainEqual(expect.objectContaining({ type: 'image-done', image: 'quay.io/a/b:1' }));
  expect(debugged.flatMap(({ topic, event }) => (topic === 'copy' ? [event] : []))).toEqual(events);
});

it('caching that is aborted while it plans leaves nothing', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.publish('quay.io/a/b:1', of('amd64'));
  const abort = new AbortController();
  const registryOf: ImageHosts['registryOf'] = (asked) => {
    const inner = ends.hosts.registryOf(asked);
    const getManifest: Registry['getManifest'] = (...request) => {
      abort.abort(new Error('enough'));
      return inner.getManifest(...request);
    };
    return { ...inner, getManifest };
  };
  const aborted = {
    ...ends,
    hosts: { ...ends.hosts, registryOf },
    settings: { ...ends.settings, signal: abort.signal },
  };
  await expect(cacheImages([name], aborted, { platforms: 'all' })).rejects.toThrow('enough');
  expect(await Array.fromAsync(ends.store.registry.repositories())).toEqual([]);
});
