// What names a blob while a collection is under way, without a trace at the blob.
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Image, imageOf, pushImage } from '../../../test/contract/content.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../embedded-store.ts';
import { builtKey } from '../layout/image-keys.ts';
import { blobKey, linkBytes, revisionLinkKey } from '../layout/registry-keys.ts';
import { setBack, testDirectory } from '../testing/directories.ts';
import { hasDockerRegistry, startDockerRegistry } from '../testing/docker-registry.ts';
import { collectStore } from './collect.ts';
import { lookAgain } from './look-again.ts';
import type { CollectionEvent } from './run.ts';

const DAY = 24 * 3600 * 1000;
const image = imageOf('named late');
const other = imageOf('other');
const blobsOf = ({ config, layers }: Image) => [config, ...layers];
const digestsOf = (one: Image) =>
  [one.manifest, ...blobsOf(one).map(({ descriptor }) => descriptor)].map((part) => part.digest);

/** A store in which nothing names the image's blobs, for a month. */
async function oldStore() {
  const directory = await testDirectory();
  const store = await openEmbeddedStore(directory.path);
  await pushImage(store.registry, 'app', image, []);
  await pushImage(store.registry, 'app', other, ['1']);
  await store.registry.deleteManifest('app', image.manifest.digest);
  await setBack(directory.path, 30 * DAY);
  return { directory, store, [Symbol.asyncDispose]: directory[Symbol.asyncDispose] };
}

/** Collects, and does something once the manifests were read, before blobs are chosen. */
async function collectedWhile(store: EmbeddedStore, work: () => Promise<void>) {
  let isRead = false;
  let isDone = false;
  async function* all(): ReturnType<EmbeddedStore['blobs']['all']> & AsyncGenerator<never> {
    if (isRead) {
      isDone = true;
      await work();
    }
    for await (const blob of store.blobs.all()) yield blob as never;
  }
  const onEvent = ({ type }: CollectionEvent) => {
    isRead ||= type === 'reading';
  };
  const collected = await collectStore({ ...store, blobs: { ...store.blobs, all } }, { onEvent });
  expect(isDone).toBe(true);
  return collected;
}

it.skipIf(!hasDockerRegistry)('a manifest that docker-registry takes meanwhile keeps its old blobs', async () => {
  await using old = await oldStore();
  await using docker = await startDockerRegistry(old.directory.path);
  const base = `${docker.url}app/`;
  const { collected } = await pushedMeanwhile(old.store, base);
  expect(collected).toMatchObject({ blobs: 0 });
  for (const { descriptor, bytes } of blobsOf(image)) {
    const answer = await fetch(`${base}blobs/${descriptor.digest}`);
    expect([answer.status, Buffer.from(await answer.arrayBuffer())]).toEqual([200, bytes]);
  }
  const headers = { accept: image.manifest.mediaType };
  expect((await fetch(`${base}manifests/late`, { headers })).status).toBe(200);
  expect((await readdir(join(old.directory.path, 'images'))).includes('aside')).toBe(false);
});

/** As docker's clients do: they ask for the blobs, which are there, and send only the manifest. */
async function pushedMeanwhile(store: EmbeddedStore, base: string) {
  const collected = await collectedWhile(store, async () => {
    for (const { descriptor } of blobsOf(image)) {
      expect((await fetch(`${base}blobs/${descriptor.digest}`, { method: 'HEAD' })).status).toBe(200);
    }
    const { mediaType, bytes } = image.manifest;
    const put = { method: 'PUT', headers: { 'content-type': mediaType }, body: new Uint8Array(bytes) };
    expect((await fetch(`${base}manifests/late`, put)).status).toBe(201);
  });
  return { collected };
}

it('an image that an earlier version builds meanwhile keeps its old blobs', async () => {
  await using old = await oldStore();
  const key = builtKey('host', 'app', '1');
  const collected = await collectedWhile(old.store, async () => {
    await old.store.objects.put(key, linkBytes(image.manifest.digest));
    await setBack(join(old.directory.path, 'images/built'), 30 * DAY);
  });
  expect(collected).toMatchObject({ blobs: 0 });
});

it('a manifest that comes damaged keeps all that its repository has', async () => {
  await using old = await oldStore();
  const { digest } = image.manifest;
  const collected = await collectedWhile(old.store, async () => {
    await old.store.objects.put(blobKey(digest), Buffer.from('{'));
    const at = new Date(Date.now() - 30 * DAY);
    await utimes(join(old.directory.path, blobKey(digest)), at, at);
    await old.store.objects.put(revisionLinkKey('app', digest), linkBytes(digest));
  });
  expect(collected).toMatchObject({ blobs: 0 });
});

it('without anything new, garbage goes', async () => {
  await using old = await oldStore();
  expect(await collectedWhile(old.store, async () => {})).toMatchObject({ blobs: digestsOf(image).length });
});

it('reads only manifests that are new, and costs what the names of all cost', async () => {
  await using old = await oldStore();
  const named = new Set(digestsOf(other));
  const reads: string[] = [];
  const blobs: EmbeddedStore['blobs'] = {
    ...old.store.blobs,
    read: async (digest, range) => {
      reads.push(digest);
      return await old.store.blobs.read(digest, range);
    },
  };
  const run = { step: async () => {} };
  expect(await lookAgain({ ...old.store, blobs }, named, run)).toEqual({ unreadable: new Set(), cost: 1 });
  await old.store.objects.put(revisionLinkKey('app', image.manifest.digest), linkBytes(image.manifest.digest));
  await lookAgain({ ...old.store, blobs }, named, run);
  await lookAgain({ ...old.store, blobs }, named, run);
  expect([reads, named]).toEqual([[image.manifest.digest], new Set([...digestsOf(other), ...digestsOf(image)])]);
});
