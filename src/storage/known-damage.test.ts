// A blob that is known to be damaged is given to nobody, whichever way it is asked for; a reader that has begun reads on.
import { expect, it } from 'vitest';
import { blobOf, bytesOf, collect, type Image, imageOf, opener, pushImage } from '../../test/contract/content.ts';
import type { Digest } from '../oci/digest.ts';
import { isImagesError } from '../oci/errors.ts';
import { builtImages } from './builds/built-images.ts';
import { looseBlobs } from './builds/loose-blobs.ts';
import { memoryStore } from './drivers/staged-store.ts';
import { blobKey } from './layout/registry-keys.ts';
import { wholeContent } from './repositories/read-blob.ts';
import { storedRegistry } from './repositories/stored-registry.ts';

const image = imageOf('damaged');
const layer = image.layers[0] ?? image.config;

async function pushed() {
  const store = memoryStore();
  const registry = storedRegistry(store);
  await pushImage(registry, 'team/app', image, ['1']);
  const built = builtImages(store);
  await built.record({ path: 'app', tag: '1' }, image.manifest);
  return { store, registry, built, loose: looseBlobs(store.blobs) };
}
type Pushed = Awaited<ReturnType<typeof pushed>>;

async function damage({ store }: Pushed, digest: Digest): Promise<void> {
  const { size } = (await store.blobs.find(digest)) ?? { size: 0 };
  await store.objects.put(blobKey(digest), bytesOf('other bytes', size));
}

/** `undefined`, also for an error that says that it is not there. */
async function got<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isImagesError(error, 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN')) return undefined;
    throw error;
  }
}

const { digest, size } = layer.descriptor;
it.each<[string, (here: Pushed) => Promise<unknown>]>([
  ['a pull', ({ registry }) => registry.getBlob('team/app', digest)],
  ['a pull of a range', ({ registry }) => registry.getBlob('team/app', digest, { from: 1, to: 2 })],
  ['a copy', ({ registry }) => registry.getBlob('team/app', digest, { verify: true, size })],
  ['a question', ({ registry }) => registry.statBlob('team/app', digest)],
  ['a mount', async ({ registry }) => (await registry.mountBlob('team/other', digest)) || undefined],
  ['a build', ({ loose }) => loose.read(layer.descriptor)],
  ['a build that verifies itself', ({ loose }) => loose.read(layer.descriptor, { unverified: true })],
  ['a build that asks', async ({ loose }) => (await loose.has(layer.descriptor)) || undefined],
  ['a reader of what was built', ({ built }) => built.reader.getBlob('any', digest)],
  ['a question for what was built', ({ built }) => built.reader.statBlob('any', digest)],
  ['a reader of small content', ({ store }) => wholeContent(store.blobs, digest, 1_000_000)],
])('%s does not get a damaged layer', async (_, ask) => {
  const here = await pushed();
  expect(await got(ask(here))).toBeDefined();
  await damage(here, digest);
  await here.store.blobs.check(digest);
  expect(await got(ask(here))).toBeUndefined();
});

it.each<[string, (here: Pushed, image: Image) => Promise<unknown>]>([
  ['a pull by tag', ({ registry }) => registry.getManifest('team/app', '1')],
  ['a pull by digest', ({ registry }) => registry.getManifest('team/app', image.manifest.digest)],
  ['a question', ({ registry }) => registry.statManifest('team/app', '1')],
  ['a reader of what was built', ({ built }) => built.reader.getManifest('any', image.manifest.digest)],
  ['a question for what was built', ({ built }) => built.reader.statManifest('any', image.manifest.digest)],
  ['a search of what was built', ({ built }) => built.find({ path: 'app', tag: '1' })],
])('%s does not get a damaged manifest', async (_, ask) => {
  const here = await pushed();
  expect(await got(ask(here, image))).toBeDefined();
  await damage(here, image.manifest.digest);
  await here.store.blobs.check(image.manifest.digest);
  expect(await got(ask(here, image))).toBeUndefined();
});

it('a reader that has begun before damage is known gets all bytes as they were', async () => {
  const here = await pushed();
  const large = blobOf(bytesOf('large', 3_000_000));
  await here.loose.put(large.descriptor, opener(large.bytes));
  const body = await here.loose.read(large.descriptor, { unverified: true });
  await here.store.blobs.doubt(large.descriptor.digest);
  expect(await collect(body)).toEqual(large.bytes);
});
