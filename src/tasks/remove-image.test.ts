import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { type RawManifest, rawManifest } from '../oci/manifest.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../oci/media-types.ts';
import { parseReference } from '../oci/reference.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../storage/embedded-store.ts';
import { removeImage } from './remove-image.ts';
import { type TemporaryWorld, temporaryWorld } from './testing/temporary-world.ts';

async function* bytes(...chunks: readonly Uint8Array[]) {
  yield* chunks;
}

/** An image without layers that no other text gives. */
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

async function remove(world: TemporaryWorld, store: EmbeddedStore, name: string): Promise<void> {
  await removeImage(parseReference(name), { label: 'x', registry: store.registry, store }, world.settings());
}

const meaning = async (store: EmbeddedStore, tag: string) => (await store.stripped.statManifest('x/y', tag))?.digest;

describe('removing from the embedded registry', () => {
  it('by the stripped name takes the records that mean the same along', async () => {
    await using world = await temporaryWorld();
    const store = await openEmbeddedStore(join(world.path, 'store'));
    await put(store, 'a.io/x/y:1', 'first');
    await put(store, 'b.io/x/y:1', 'second');
    await remove(world, store, 'x/y:1');
    expect(await meaning(store, '1')).toBeUndefined();
    expect((await Array.fromAsync(store.names.all())).map((name) => name.host)).toEqual(['a.io']);
  });

  it('by a full name leaves what another host’s name means', async () => {
    await using world = await temporaryWorld();
    const store = await openEmbeddedStore(join(world.path, 'store'));
    const first = await put(store, 'a.io/x/y:1', 'first');
    const second = await put(store, 'b.io/x/y:1', 'second');
    await remove(world, store, 'a.io/x/y:1');
    expect(await meaning(store, '1')).toBe(second.digest);
    await put(store, 'a.io/x/y:1', 'first');
    expect(await meaning(store, '1')).toBe(first.digest);
  });

  it('by the full name that was cached last gives the stripped name back to the one before', async () => {
    await using world = await temporaryWorld();
    const store = await openEmbeddedStore(join(world.path, 'store'));
    const first = await put(store, 'a.io/x/y:1', 'first');
    await put(store, 'b.io/x/y:1', 'second');
    await remove(world, store, 'b.io/x/y:1');
    expect(await meaning(store, '1')).toBe(first.digest);
    await remove(world, store, 'a.io/x/y:1');
    expect(await meaning(store, '1')).toBeUndefined();
  });

  it('finds alpine as library/alpine', async () => {
    await using world = await temporaryWorld();
    const store = await openEmbeddedStore(join(world.path, 'store'));
    await put(store, 'docker.io/library/alpine:1', 'alpine');
    await remove(world, store, 'alpine:1');
    expect(await store.registry.statManifest('library/alpine', '1')).toBeUndefined();
    expect(await Array.fromAsync(store.names.all())).toEqual([]);
  });

  it('refuses a name of a host that another host’s image has, and what is not there', async () => {
    await using world = await temporaryWorld();
    const store = await openEmbeddedStore(join(world.path, 'store'));
    await put(store, 'a.io/x/y:1', 'first');
    for (const name of ['c.io/x/y:1', 'x/y:2', 'nothing']) {
      await expect(remove(world, store, name)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    }
    expect(await meaning(store, '1')).toBeDefined();
  });
});
