import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import {
  decodeManifest,
  type ImageManifest,
  manifestDescriptor,
  type RawManifest,
  rawManifest,
  successors,
} from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts';
import { parseReference } from '../../oci/reference.ts';
import { forgettingNames } from '../../registry/policies/forgetting-names.ts';
import { hostNames } from '../../registry/policies/host-names.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { blobKey } from '../../storage/layout/registry-keys.ts';
import { spaceOf } from '../../storage/quota/space.ts';
import { registryStore } from '../../storage/registry-store.ts';
import { listManifests } from '../../storage/repositories/list-manifests.ts';
import { nameRecords } from '../../storage/repositories/name-records.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { removeImage, removeImages } from './remove-image.ts';

/** In memory: each test writes many small files, and nothing here is about the disk. */
function emptyStore(): EmbeddedStore {
  const data = memoryStore();
  return { directory: 'memory', space: spaceOf(data), ...registryStore(data) };
}

async function* bytes(...chunks: readonly Uint8Array[]) {
  yield* chunks;
}

/** Puts an image without layers, whose digest depends on `text`. */
async function put(store: EmbeddedStore, name: string, text: string): Promise<RawManifest> {
  const { host, path, tag = 'latest' } = parseReference(name);
  const config = new TextEncoder().encode(JSON.stringify({ architecture: 'amd64', os: 'linux', author: text }));
  const descriptor = { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length };
  await store.stripped.putBlob(path, descriptor, async () => bytes(config));
  const body = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor, layers: [] };
  const manifest = rawManifest(new TextEncoder().encode(JSON.stringify(body)));
  await store.stripped.putManifest(path, manifest, [tag]);
  if (host) await store.names.set(host, path, tag, manifest.digest);
  return manifest;
}

async function putIndex(store: EmbeddedStore, tag: string, children: readonly RawManifest[]): Promise<RawManifest> {
  const manifests = children.map(manifestDescriptor);
  const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  const index = rawManifest(new TextEncoder().encode(body));
  await store.stripped.putManifest('x/y', index, [tag]);
  return index;
}

/** Puts an image with `subject` as its subject, like a signature. */
async function attach(store: EmbeddedStore, subject: RawManifest): Promise<RawManifest> {
  const { config } = decodeManifest(subject) as ImageManifest;
  const body = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: 'application/vnd.example.signature',
    config,
    layers: [],
    subject: manifestDescriptor(subject),
  };
  const manifest = rawManifest(new TextEncoder().encode(JSON.stringify(body)));
  await store.stripped.putManifest('x/y', manifest, []);
  return manifest;
}

async function remove(world: TemporaryWorld, store: EmbeddedStore, name: string): Promise<void> {
  await removeImage(parseReference(name), { label: 'x', registry: store.registry, store }, world.settings());
}

/** Counts how often the store is read when a tag is removed that had this number of states. */
async function readsToRemove(states: number): Promise<number> {
  await using world = await temporaryWorld();
  const store = emptyStore();
  for (let at = 0; at < states; at += 1) await put(store, 'x/y:1', `state ${at}`);
  return await readsOf(store, (counted) => remove(world, counted, 'x/y:1'));
}

/** The same for this number of tags that are removed by one command. */
async function readsToRemoveAll(tags: number): Promise<number> {
  await using world = await temporaryWorld();
  const store = emptyStore();
  const names = Array.from({ length: tags }, (_, at) => `a.io/x/y:t${at}`);
  for (const name of names) await put(store, name, name);
  const references = names.map((name) => parseReference(name));
  return await readsOf(store, (counted) =>
    removeImages(references, { label: 'x', registry: counted.registry, store: counted }, world.settings()),
  );
}

/** How often `work` reads the store, in which nothing may be left. */
async function readsOf(store: EmbeddedStore, work: (store: EmbeddedStore) => Promise<void>): Promise<number> {
  let reads = 0;
  const counting =
    <Args extends readonly unknown[], T>(read: (...args: Args) => T) =>
    (...args: Args): T => {
      reads += 1;
      return read(...args);
    };
  const objects = { ...store.objects, get: counting(store.objects.get), stat: counting(store.objects.stat) };
  const blobs = { ...store.blobs, read: counting(store.blobs.read) };
  const stripped = storedRegistry({ objects, blobs });
  const names = nameRecords(objects);
  const registry = hostNames(forgettingNames(stripped, names), names);
  await work({ ...store, objects, blobs, stripped, names, registry });
  expect(await Array.fromAsync(store.registry.repositories())).toEqual([]);
  return reads;
}

const meaning = async (store: EmbeddedStore, tag: string) => (await store.stripped.statManifest('x/y', tag))?.digest;

describe('removing from the embedded registry', () => {
  it('by the stripped name also removes the records that mean the same', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    await put(store, 'a.io/x/y:1', 'first');
    await put(store, 'b.io/x/y:1', 'second');
    await remove(world, store, 'x/y:1');
    expect(await meaning(store, '1')).toBeUndefined();
    expect((await Array.fromAsync(store.names.all())).map((name) => name.host)).toEqual(['a.io']);
  });

  it('by a full name keeps what another host’s name means', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    const first = await put(store, 'a.io/x/y:1', 'first');
    const second = await put(store, 'b.io/x/y:1', 'second');
    await remove(world, store, 'a.io/x/y:1');
    expect(await meaning(store, '1')).toBe(second.digest);
    await put(store, 'a.io/x/y:1', 'first');
    expect(await meaning(store, '1')).toBe(first.digest);
  });

  it('by the full name that was cached last gives the stripped name back to the one before', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    const first = await put(store, 'a.io/x/y:1', 'first');
    await put(store, 'b.io/x/y:1', 'second');
    await remove(world, store, 'b.io/x/y:1');
    expect(await meaning(store, '1')).toBe(first.digest);
    await remove(world, store, 'a.io/x/y:1');
    expect(await meaning(store, '1')).toBeUndefined();
  });

  it('finds alpine as library/alpine', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    await put(store, 'docker.io/library/alpine:1', 'alpine');
    await remove(world, store, 'alpine:1');
    expect(await store.registry.statManifest('library/alpine', '1')).toBeUndefined();
    expect(await Array.fromAsync(store.names.all())).toEqual([]);
  });

  it('removes the manifest that no other name means, and the repository with it', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    const { digest } = await put(store, 'x/y:1', 'same');
    await put(store, 'x/y:2', 'same');
    await put(store, 'a.io/x/y:3', 'same');
    await remove(world, store, 'x/y:1');
    await remove(world, store, 'x/y:2');
    expect(await meaning(store, '3')).toBe(digest);
    await store.stripped.deleteTag('x/y', '3');
    await put(store, 'x/y:4', 'same');
    await remove(world, store, 'x/y:4');
    expect(await meaning(store, digest), 'a.io/x/y:3 means it still').toBe(digest);
    await remove(world, store, 'a.io/x/y:3');
    expect(await meaning(store, digest)).toBeUndefined();
    expect(await Array.fromAsync(store.registry.repositories())).toEqual([]);
  });

  it('removes the children of an index that no other index or tag needs, with their referrers', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    const [own, shared, tagged] = [
      await put(store, 'x/y:own', 'own'),
      await put(store, 'x/y:shared', 'shared'),
      await put(store, 'x/y:tagged', 'tagged'),
    ];
    await putIndex(store, 'all', [own, shared, tagged]);
    await putIndex(store, 'some', [shared]);
    const signature = await attach(store, own);
    const kept = await attach(store, shared);
    for (const tag of ['own', 'shared']) await store.stripped.deleteTag('x/y', tag);
    await remove(world, store, 'x/y:all');
    const there = async (manifest: RawManifest) => (await meaning(store, manifest.digest)) !== undefined;
    expect(await Promise.all([own, signature, shared, kept, tagged].map(there))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
    await remove(world, store, 'x/y:some');
    expect(await Promise.all([shared, kept, tagged].map(there))).toEqual([false, false, true]);
  });

  it('removes what cosign attached, with its tags', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    for (const reference of ['x/y:1', 'x/y@']) {
      const image = await put(store, 'x/y:1', 'image');
      const other = await put(store, 'x/y:2', 'other');
      const tagOf = ({ digest }: RawManifest) => digest.replace(':', '-');
      await put(store, `a.io/x/y:${tagOf(image)}.sig`, 'signature');
      await put(store, `a.io/x/y:${tagOf(image)}.att`, 'signature');
      await put(store, `x/y:${tagOf(other)}.sig`, 'signature of the other');
      await remove(world, store, reference.replace(/@$/, `@${image.digest}`));
      expect(await Array.fromAsync(store.stripped.tags('x/y'))).toEqual(['2', `${tagOf(other)}.sig`]);
      expect((await Array.fromAsync(listManifests(store.objects, 'x/y'))).length).toBe(2);
      expect(await Array.fromAsync(store.names.ofPath('x/y'))).toEqual([]);
    }
  });

  it('by digest removes an index and its children', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    const child = await put(store, 'x/y:child', 'child');
    const index = await putIndex(store, 'all', [child]);
    await store.stripped.deleteTag('x/y', 'child');
    await remove(world, store, `x/y@${index.digest}`);
    expect(await Array.fromAsync(store.registry.repositories())).toEqual([]);
  });

  it('removes what only a former state of the tag left behind', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    const child = await put(store, 'x/y:1', 'a child of the first');
    const first = await putIndex(store, '1', [child]);
    const kept = await put(store, 'x/y:1', 'second, which has another tag');
    await put(store, 'x/y:kept', 'second, which has another tag');
    const recorded = await put(store, 'a.io/x/y:1', 'third, which is recorded');
    const last = await put(store, 'b.io/x/y:1', 'last');
    const byDigest = await put(store, 'x/y:other', 'by digest');
    await store.stripped.deleteTag('x/y', 'other');
    const there = async (manifest: RawManifest) => (await meaning(store, manifest.digest)) !== undefined;
    const all = [child, first, kept, recorded, last, byDigest];
    await remove(world, store, 'b.io/x/y:1');
    expect(await Promise.all(all.map(there)), 'a.io/x/y has the tag').toEqual([true, true, true, true, false, true]);
    await remove(world, store, 'a.io/x/y:1');
    expect(await Promise.all(all.map(there))).toEqual([false, false, true, false, false, true]);
    await remove(world, store, 'x/y:kept');
    expect(await Promise.all(all.map(there))).toEqual([false, false, false, false, false, true]);
    await remove(world, store, `x/y@${byDigest.digest}`);
    expect(await Array.fromAsync(store.registry.repositories())).toEqual([]);
  });

  it('removes former states that are damaged or of unknown kinds', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    const first = await put(store, 'x/y:1', 'first');
    await put(store, 'x/y:1', 'second');
    await store.objects.put(blobKey(first.digest), new TextEncoder().encode('{"schemaVersion":1}'));
    await remove(world, store, 'x/y:1');
    expect(await Array.fromAsync(store.registry.repositories())).toEqual([]);
  });

  it('removes a damaged image, with its names', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    for (const name of ['x/y:1', 'a.io/x/y:1', 'x/y@']) {
      const { digest } = await put(store, 'a.io/x/y:1', 'first');
      await store.objects.put(blobKey(digest), new TextEncoder().encode('{}'));
      await remove(world, store, name.replace(/@$/, `@${digest}`));
      expect(await Array.fromAsync(store.registry.repositories())).toEqual([]);
      expect(await Array.fromAsync(store.names.all())).toEqual([]);
    }
  });

  it('reads the repository once, however many states the tag had', async () => {
    expect((await readsToRemove(40)) / (await readsToRemove(10))).toBeLessThan(5);
  });

  it('reads the repository once, however many tags one command removes', async () => {
    expect((await readsToRemoveAll(40)) / (await readsToRemoveAll(10))).toBeLessThan(5);
  });

  it('finds what was uploaded with its host in its name', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    await put(store, 'x/y:1', 'stripped');
    const config = await put(store, 'x/z:1', 'full');
    const full = await store.stripped.getManifest('x/z', config.digest);
    for (const { digest } of successors(decodeManifest(full)).blobs) await store.stripped.mountBlob('a.io/x/y', digest);
    await store.stripped.putManifest('a.io/x/y', full, ['1']);
    await remove(world, store, 'a.io/x/y:1');
    expect(await Array.fromAsync(store.registry.repositories())).toEqual(['x/y', 'x/z']);
  });

  it('refuses a name of a host that another host’s image has, and what is not there', async () => {
    await using world = await temporaryWorld();
    const store = emptyStore();
    await put(store, 'a.io/x/y:1', 'first');
    for (const name of ['c.io/x/y:1', 'x/y:2', 'nothing']) {
      await expect(remove(world, store, name)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    }
    expect(await meaning(store, '1')).toBeDefined();
  });
});
