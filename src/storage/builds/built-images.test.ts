// Images that were built here can be read by digest in any repository. Damage is reported, and remembered.
import { expect, it } from 'vitest';
import { collect, imageOf, opener } from '../../../test/contract/content.ts';
import { digestOf } from '../../oci/digest.ts';
import { manifestDescriptor } from '../../oci/manifest.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { blobKey } from '../layout/registry-keys.ts';
import { storedRegistry } from '../repositories/stored-registry.ts';
import { builtImages } from './built-images.ts';
import { looseBlobs } from './loose-blobs.ts';

const image = imageOf('built');
const [layer] = image.layers;
const unknown = digestOf(Buffer.from('unknown'));

async function newStore() {
  const store = memoryStore();
  const { objects } = store;
  const registry = storedRegistry(store);
  const blobs = looseBlobs(store.blobs);
  for (const blob of [image.config, ...image.layers]) await blobs.put(blob.descriptor, opener(blob.bytes));
  const built = builtImages(store);
  await built.record({ path: 'app', tag: '1' }, image.manifest);
  return { objects, registry, built, ...built };
}

it('an image is found under all spellings of its name, and read', async () => {
  const { find, reader } = await newStore();
  const { digest } = image.manifest;
  expect(await find({ host: 'docker.io', path: 'library/app', tag: '1' })).toBe(digest);
  expect(await find({ path: 'app', tag: '2' })).toBeUndefined();
  expect((await reader.getManifest('any', digest)).bytes).toEqual(image.manifest.bytes);
  expect(await reader.statManifest('any', digest)).toEqual(manifestDescriptor(image.manifest));
  expect(await Array.fromAsync(reader.referrers('any', digest))).toEqual([]);
  const { descriptor } = layer ?? image.config;
  const wanted = { mediaType: 'application/octet-stream', digest: descriptor.digest, size: descriptor.size };
  expect(await reader.statBlob('any', descriptor.digest)).toEqual(wanted);
  const blob = await reader.getBlob('any', descriptor.digest);
  expect(blob.descriptor).toEqual(wanted);
  expect(await collect(blob.body)).toEqual((layer ?? image.config).bytes);
});

it('what is not in the store is not there', async () => {
  const { reader } = await newStore();
  await expect(reader.getManifest('any', unknown)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  await expect(reader.getManifest('any', '1')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  expect(await reader.statManifest('any', unknown)).toBeUndefined();
  expect(await reader.statManifest('any', '1')).toBeUndefined();
  expect(await reader.statBlob('any', unknown)).toBeUndefined();
  await expect(reader.getBlob('any', unknown)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
});

it('a damaged manifest is no image of that name, is an error to its reader, and is recorded again', async () => {
  const { objects, find, record, reader } = await newStore();
  const { digest, bytes } = image.manifest;
  await objects.put(blobKey(digest), Buffer.alloc(bytes.length));
  expect(await find({ path: 'app', tag: '1' })).toBeUndefined();
  await expect(reader.getManifest('any', digest)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  expect(await reader.statBlob('any', digest)).toBeUndefined();
  await record({ path: 'app', tag: '1' }, image.manifest);
  expect(await find({ path: 'app', tag: '1' })).toBe(digest);
  expect(await reader.statBlob('any', digest)).toBeDefined();
});
