import { expect, it } from 'vitest';
import { imageOf, pushImage } from '../../../test/contract/content.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';
import { immutableTags } from './immutable-tags.ts';

const [first, second] = [imageOf('first'), imageOf('second')];

function newRegistry() {
  const patterns = [{ repository: 'release/*', tag: 'v*' }];
  const inner = storedRegistry(memoryStore());
  return { patterns, inner, registry: immutableTags(inner, async () => patterns) };
}

it('an immutable tag is set once; pushing the same image again is allowed', async () => {
  const { registry } = newRegistry();
  await pushImage(registry, 'release/app', first, ['v1']);
  await pushImage(registry, 'release/app', first, ['v1', 'v1.0']);
  await expect(pushImage(registry, 'release/app', second, ['new', 'v1'])).rejects.toMatchObject({
    code: 'DENIED',
    message: `the tag is immutable, and is ${first.manifest.digest} [release/app:v1]`,
    hint: 'Push it under another tag, or remove this one first: images lreg_rm release/app:v1',
  });
  expect((await registry.statManifest('release/app', 'v1'))?.digest).toBe(first.manifest.digest);
  // Nothing of a refused push is there.
  expect(await registry.statManifest('release/app', 'new')).toBeUndefined();
});

it('other tags move, and a deleted immutable tag can be set again', async () => {
  const { registry } = newRegistry();
  await pushImage(registry, 'release/app', first, ['latest', 'v1']);
  await pushImage(registry, 'release/app', second, ['latest']);
  await pushImage(registry, 'release/app', second);
  await registry.deleteTag('release/app', 'v1');
  await pushImage(registry, 'release/app', second, ['v1']);
  expect((await registry.statManifest('release/app', 'v1'))?.digest).toBe(second.manifest.digest);
});

it('of simultaneous pushes one sets an immutable tag, also after a push that failed', async () => {
  const { registry, patterns } = newRegistry();
  const images = ['a', 'b', 'c'].map((seed) => imageOf(seed));
  for (const image of images) await pushImage(registry, 'release/app', image);
  const results = await Promise.allSettled(
    images.map(({ manifest }) => registry.putManifest('release/app', manifest, ['v2'])),
  );
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  patterns.length = 0;
  await registry.putManifest('release/app', images[2]?.manifest ?? first.manifest, ['v2']);
  expect((await registry.statManifest('release/app', 'v2'))?.digest).toBe(images[2]?.manifest.digest);
});
