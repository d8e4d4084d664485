// Pins: what is recorded, and what is not removed because of them.
import { expect, it } from 'vitest';
import { imageOf, indexOf, pushImage } from '../../../test/contract/content.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { registryStore } from '../registry-store.ts';
import { pinsIn } from './pins.ts';
import { removeUnneeded } from './remove-unneeded.ts';

const image = imageOf('image');
const { digest } = image.manifest;

async function newStore() {
  const store = registryStore(memoryStore());
  await pushImage(store.registry, 'a/app', image, ['1', '2']);
  return { store, registry: store.registry, pins: pinsIn(store.objects) };
}

it('are recorded by repository, as tags and digests', async () => {
  const { pins } = await newStore();
  for (const reference of ['1', digest]) {
    await pins.add({ repository: 'a/app', reference });
    await pins.add({ repository: 'a/app', reference });
    await pins.add({ repository: 'a', reference });
  }
  expect(await pins.of('a/app')).toEqual({ tags: new Set(['1']), digests: new Set([digest]) });
  expect(await Array.fromAsync(pins.all())).toHaveLength(4);
  expect(await pins.remove({ repository: 'a', reference: '1' })).toBe(true);
  expect(await pins.remove({ repository: 'a', reference: '1' })).toBe(false);
  expect(await pins.of('a')).toEqual({ tags: new Set(), digests: new Set([digest]) });
  expect(await pins.has({ repository: 'a/app', reference: '1' })).toBe(true);
});

it('a pinned tag is not deleted, nor its manifest; others are', async () => {
  const { registry, pins } = await newStore();
  await pins.add({ repository: 'a/app', reference: '1' });
  const hint = '`images lreg_unpin a/app:1` lets it go, or `images lreg_rm --force` removes it all the same.';
  await expect(registry.deleteTag('a/app', '1')).rejects.toMatchObject({ code: 'DENIED', hint });
  await expect(registry.deleteManifest('a/app', digest)).rejects.toMatchObject({ code: 'DENIED', hint });
  await registry.deleteTag('a/app', '2', { unneeded: true });
  expect(await Array.fromAsync(registry.tags('a/app'))).toEqual(['1']);
  await pins.remove({ repository: 'a/app', reference: '1' });
  await registry.deleteManifest('a/app', digest);
  expect(await registry.statManifest('a/app', digest)).toBeUndefined();
});

it('a pinned manifest stays when its tags go, with the parts of a pinned index', async () => {
  const { store, registry, pins } = await newStore();
  const index = indexOf([image.manifest]);
  await registry.putManifest('a/app', index, ['all']);
  await pins.add({ repository: 'a/app', reference: index.digest });
  await expect(registry.deleteManifest('a/app', index.digest)).rejects.toMatchObject({ code: 'DENIED' });
  for (const tag of ['all', '1', '2']) await registry.deleteTag('a/app', tag, { unneeded: true });
  expect(await removeUnneeded([index.digest, digest], { store, repository: 'a/app' })).toEqual([]);
  expect(await registry.statManifest('a/app', digest)).toBeDefined();
  await pins.remove({ repository: 'a/app', reference: index.digest });
  expect(new Set(await removeUnneeded([index.digest], { store, repository: 'a/app' }))).toEqual(
    new Set([index.digest, digest]),
  );
});
