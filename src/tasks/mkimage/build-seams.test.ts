import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readAll } from '../../copy/testing/images.ts';
import { digestOf } from '../../oci/digest.ts';
import { OCI_LAYER } from '../../oci/media-types.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { lazyDownloads, lazyRunner, storeBlobWriter } from './build-seams.ts';

const bytes = Buffer.from('content');
const descriptor = { mediaType: OCI_LAYER, digest: digestOf(bytes), size: bytes.length };
const diffId = digestOf(Buffer.from('archive'));

it('a layer that was written to the store can be read again, and its index is remembered there', async () => {
  await using world = await temporaryWorld();
  const store = await openEmbeddedStore(join(world.path, 'store'));
  const blobs = storeBlobWriter(store);
  expect(await blobs.layer(descriptor, diffId)).toBeUndefined();
  await using blob = await blobs.start();
  await blob.append(Buffer.from(bytes));
  await blob.finish(descriptor.digest);
  const layer = await blobs.layer(descriptor, diffId);
  expect(layer).toMatchObject({ descriptor, diffId });
  expect(layer && (await readAll(await layer.open()))).toEqual(bytes);
  await layer?.settle?.();
  await layer?.index?.save(Buffer.from('index'));
  expect(await (await blobs.layer(descriptor, diffId))?.index?.load()).toEqual(Buffer.from('index'));
});

it('a small blob is stored as it is; a layer of another size counts as absent', async () => {
  await using world = await temporaryWorld();
  const blobs = storeBlobWriter(await openEmbeddedStore(join(world.path, 'store')));
  await blobs.put(descriptor, bytes);
  await blobs.put(descriptor, bytes);
  expect(await blobs.layer(descriptor, diffId)).toBeDefined();
  expect(await blobs.layer({ ...descriptor, size: 1 }, diffId)).toBeUndefined();
  await expect(blobs.put({ ...descriptor, digest: diffId }, bytes)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
});

it('a build loads and creates only what it needs', async () => {
  await using world = await temporaryWorld();
  const store = await openEmbeddedStore(join(world.path, 'store'));
  lazyRunner(store, world.settings(), false);
  await lazyDownloads(world.settings(), join(world.path, 'spool'))[Symbol.asyncDispose]();
  expect(['store', 'spool'].filter((name) => existsSync(join(world.path, name)))).toEqual([]);
});
