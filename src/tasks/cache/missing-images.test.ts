import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import { formatReference } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import { hostsAndStore } from '../testing/hosts-and-store.ts';
import { missingImages, missingOverlayImages } from './missing-images.ts';

const image = buildImage({ layers: [layerOf([{ name: 'a', data: 'a' }])] });

it('missing images are those that the registry has under no spelling of their names, each once, in order', async () => {
  await using ends = await hostsAndStore();
  await ends.load('docker.io/library/alpine:3', image);
  await ends.load('quay.io/a/b:1', image);
  const wanted = ['b:2', 'alpine:3', 'docker.io/library/b:2', 'quay.io/a/b:1', 'quay.io/a/b', 'library/alpine:3'];
  const missing = await missingImages(wanted, ends.registry, ends.settings);
  expect(missing.map(formatReference)).toEqual(['docker.io/library/b:2', 'quay.io/a/b:latest']);
  expect(ends.asked).toEqual([]);
});

it('missing images include one that the registry only has from another host', async () => {
  await using ends = await hostsAndStore();
  await ends.load('quay.io/a/b:1', image);
  expect(await missingImages(['ghcr.io/a/b:1'], ends.registry, ends.settings)).toHaveLength(1);
});

it('missing images cannot be asked for with an invalid name', async () => {
  await using ends = await hostsAndStore();
  await expect(missingImages(['A:1'], ends.registry, ends.settings)).rejects.toMatchObject({
    code: 'REFERENCE_INVALID',
  });
});

it('missing images of overlays are among those that their files use, the pause image first', async () => {
  await using ends = await hostsAndStore();
  await ends.load('quay.io/a/b:1', image);
  const file = await ends.world.file('pod.yaml', POD);
  const warnings: string[] = [];
  const missing = await missingOverlayImages(
    { items: [file], pause: 'registry.k8s.io/pause:3.9', onWarning: ({ text }) => warnings.push(text) },
    ends.world.settings({}, { data: join(ends.world.path, 'store') }),
  );
  expect(missing.map(formatReference)).toEqual(['registry.k8s.io/pause:3.9', 'docker.io/library/d:latest']);
  expect(warnings).toHaveLength(1);
});

const POD = `kind: Pod
spec:
  containers: [{name: a, image: quay.io/a/b:1}, {name: b, image: "c d"}, {name: d, image: d}]
`;

it('missing images are looked up with limited parallelism, and no more once the call is aborted', async () => {
  await using ends = await hostsAndStore();
  const abort = new AbortController();
  let now = 0;
  let most = 0;
  let asked = 0;
  const registry: Registry = {
    ...ends.store.registry,
    statManifest: async () => {
      asked++;
      most = Math.max(most, ++now);
      await new Promise(setImmediate);
      now--;
      if (asked > 30) abort.abort(new Error('enough'));
      return undefined;
    },
  };
  const wanted = Array.from({ length: 90 }, (_, at) => `quay.io/a/b:${at}`);
  const there = { label: 'remote', registry };
  const names = (await missingImages(wanted.slice(0, 15), there, ends.settings)).map(formatReference);
  expect(names).toEqual(wanted.slice(0, 15));
  const settings = { ...ends.settings, signal: abort.signal };
  await expect(missingImages(wanted, there, settings)).rejects.toThrow('enough');
  expect([most > 1, most <= 16, asked < 90]).toEqual([true, true, true]);
});
