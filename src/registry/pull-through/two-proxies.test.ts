// Two registries of which each is a mirror for the other, as in two clusters that help each other out.
import { expect, it } from 'vitest';
import { collect, imageOf } from '../../../test/contract/content.ts';
import type { ImageReader, ReadOptions } from '../contract.ts';
import { type Proxied, proxied, type Upstream, upstreamRegistry } from './testing/proxied.ts';

const DOCKER = { host: 'docker.io' };
const image = imageOf('one');

/** Asks the mirror first, then the host. */
function mirrored(mirror: () => Proxied, { registry }: Upstream, own: string): ImageReader {
  const first = async <T>(
    options: ReadOptions | undefined,
    read: (from: ImageReader, options: ReadOptions) => Promise<T>,
  ) => {
    // Each request says who asks, also for blobs that nobody waits for: so none comes back unseen.
    expect(options?.via?.at(-1)).toBe(own);
    return await read(mirror().registry, { ...options, ...DOCKER }).catch(() => read(registry, {}));
  };
  return {
    getManifest: (path, what, options) => first(options, (from, each) => from.getManifest(path, what, each)),
    statManifest: (path, what, options) => first(options, (from, each) => from.statManifest(path, what, each)),
    getBlob: (path, digest, options) =>
      first(options, (from, each) => from.getBlob(path, digest, { ...options, ...each })),
    statBlob: (path, digest, options) => first(options, (from, each) => from.statBlob(path, digest, each)),
    referrers: (...args) => registry.referrers(...args),
  };
}

it('two that ask each other for the same at once do not wait for each other', async () => {
  const docker = upstreamRegistry();
  await docker.push('library/app', image, ['1']);
  const a: Proxied = proxied({ hosts: { 'docker.io': mirrored(() => b, docker, 'a') }, id: 'a' });
  const b: Proxied = proxied({ hosts: { 'docker.io': mirrored(() => a, docker, 'b') }, id: 'b' });
  await Promise.all([a, b].map(({ registry }) => registry.getManifest('library/app', '1', DOCKER)));
  const { descriptor, bytes } = image.layers[0] ?? image.config;
  const got = await Promise.all(
    [a, b].map(async ({ registry }) =>
      collect((await registry.getBlob('library/app', descriptor.digest, DOCKER)).body),
    ),
  );
  expect(got).toEqual([bytes, bytes]);
  await Promise.all([a.proxy.ended(), b.proxy.ended()]);
  for (const { store } of [a, b])
    expect((await store.stripped.statManifest('library/app', '1'))?.digest).toBe(image.manifest.digest);
});
