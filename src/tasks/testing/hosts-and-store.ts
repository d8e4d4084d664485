// Both ends of a cache run in one process: hosts with images in memory, and the embedded store in a temporary directory.
import { join } from 'node:path';
import type { FixtureBlob, FixtureImage } from '../../../test/fixtures/image.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { rawManifest } from '../../oci/manifest.ts';
import { type FullReference, fullReference, parseReference, tagOrDigest } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../../storage/embedded-store.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';
import type { CacheEnds } from '../cache/cache-images.ts';
import type { Settings } from '../settings.ts';
import { type TemporaryWorld, temporaryWorld } from './temporary-world.ts';

export interface HostsAndStore extends CacheEnds, AsyncDisposable {
  readonly world: TemporaryWorld;
  readonly settings: Settings;
  readonly store: EmbeddedStore;
  /** The requests to hosts for manifests: `HEAD quay.io/a/b:1`, `GET …`. */
  readonly asked: readonly string[];
  /** Puts an image on its host. */
  publish(name: string, image: FixtureImage): Promise<FullReference>;
  /** Puts an image into the store under its full name. */
  load(name: string, image: FixtureImage): Promise<FullReference>;
  /** From now on the host answers with UNREACHABLE. */
  cut(host: string): void;
}

export async function hostsAndStore(): Promise<HostsAndStore> {
  const world = await temporaryWorld();
  const store = await openEmbeddedStore(join(world.path, 'store'));
  const registries = new Map<string, Registry>();
  const silent = new Set<string>();
  const asked: string[] = [];
  const at = (host: string): Registry => {
    const known = registries.get(host) ?? storedRegistry(memoryStore());
    registries.set(host, known);
    return known;
  };
  const registryOf = ({ host }: Pick<FullReference, 'host'>): Registry => {
    const inner = at(host);
    const reach = () => {
      if (silent.has(host)) throw new ImagesError('UNREACHABLE', `cannot reach ${host}`);
    };
    const ask = (method: string, path: string, reference: string) => {
      asked.push(`${method} ${host}/${path}${reference.includes(':') ? '@' : ':'}${reference}`);
      reach();
    };
    return {
      ...inner,
      getBlob: async (path, digest, options) => {
        reach();
        return await inner.getBlob(path, digest, options);
      },
      getManifest: async (path, reference, options) => {
        ask('GET', path, reference);
        return await inner.getManifest(path, reference, options);
      },
      statManifest: async (path, reference, options) => {
        ask('HEAD', path, reference);
        return await inner.statManifest(path, reference, options);
      },
    };
  };
  return {
    world,
    store,
    asked,
    settings: world.settings(),
    registry: { label: 'the store', registry: store.registry, store },
    hosts: { registryOf, async [Symbol.asyncDispose]() {} },
    cut: (host) => silent.add(host),
    publish: async (text, image) => {
      const name = fullReference(parseReference(text));
      await putFixture(at(name.host), name, image);
      return name;
    },
    load: async (text, image) => {
      const name = fullReference(parseReference(text));
      const { digest } = await putFixture(store.stripped, name, image);
      if (name.tag) await store.names.set(name.host, name.path, name.tag, digest);
      return name;
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** Puts an image with its whole content; returns its digest. */
export async function putFixture(
  registry: Registry,
  name: Pick<FullReference, 'path' | 'tag' | 'digest'>,
  image: FixtureImage,
): Promise<{ readonly digest: Digest }> {
  for (const child of image.children)
    await putFixture(registry, { path: name.path, digest: digestOf(child.manifest) }, child);
  for (const part of image.blobs) {
    const descriptor = { mediaType: part.mediaType, digest: digestOf(part), size: part.bytes.length };
    await registry.putBlob(name.path, descriptor, async (from) => oneChunk(part.bytes.subarray(from)));
  }
  const manifest = rawManifest(image.manifest.bytes, image.manifest.mediaType);
  await registry.putManifest(name.path, manifest, name.digest ? [] : [tagOrDigest(name)]);
  return manifest;
}

function digestOf({ digest }: FixtureBlob): Digest {
  return digest as Digest;
}
