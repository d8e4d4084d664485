import { describe, expect, it } from 'vitest';
import {
  blobOf,
  bytesOf,
  chunked,
  collect,
  type Image,
  imageOf,
  indexOf,
  opener,
  pushImage,
} from '../../test/contract/content.ts';
import { digestHex } from '../oci/digest.ts';
import type { RawManifest } from '../oci/manifest.ts';
import { looseBlobs } from './builds/loose-blobs.ts';
import { collectStore } from './collector/collect.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import { BLOBS, markKey } from './layout/registry-keys.ts';
import { pinsIn } from './repositories/pins.ts';
import { testDirectory } from './testing/directories.ts';
import { dockerGarbageCollect, hasDockerRegistry, startDockerRegistry } from './testing/docker-registry.ts';

const image = imageOf('docker');
const other = imageOf('other');
const index = indexOf([image.manifest, other.manifest]);

describe.skipIf(!hasDockerRegistry)(
  'volumes of docker-registry (skipped where docker-registry is not installed)',
  () => {
    it('that it filled are read, added to, and served by it again', async () => {
      await using directory = await testDirectory();
      {
        await using docker = await startDockerRegistry(directory.path);
        await pushTo(docker.url, 'library/alpine', image, '3');
        await pushTo(docker.url, 'library/alpine', other, '4');
        await putManifest(docker.url, 'library/alpine', index, 'multi');
      }
      const store = await openEmbeddedStore(directory.path);
      expect(await Array.fromAsync(store.registry.repositories())).toEqual(['library/alpine']);
      expect(await Array.fromAsync(store.registry.tags('alpine'))).toEqual(['3', '4', 'multi']);
      expect((await store.registry.getManifest('library/alpine', 'multi')).bytes).toEqual(index.bytes);
      for (const blob of [image.config, ...image.layers]) {
        const { body } = await store.registry.getBlob('library/alpine', blob.descriptor.digest);
        expect(await collect(body)).toEqual(blob.bytes);
      }
      // A name without a recorded host is found for every host.
      expect(await store.registry.statManifest('alpine', '3', { host: 'docker.io' })).toBeDefined();

      const ours = imageOf('ours');
      await pushImage(store.registry, 'library/alpine', ours, ['3']);
      await store.registry.deleteTag('library/alpine', '4');
      {
        await using docker = await startDockerRegistry(directory.path);
        expect(await tagsAt(docker.url, 'library/alpine')).toEqual(['3', 'multi']);
        await expectServed(docker.url, 'library/alpine', ours, '3');
      }
    });

    it('that we filled are served by it, and survive its garbage collection', async () => {
      await using directory = await testDirectory();
      const store = await openEmbeddedStore(directory.path);
      await pushImage(store.registry, 'calico/node', image, ['v1']);
      await pushImage(store.registry, 'calico/node', other, ['v2']);
      // A sparse index: one child is missing.
      const sparse = indexOf([image.manifest, imageOf('absent').manifest]);
      await store.registry.putManifest('calico/node', sparse, ['multi']);
      const signature = imageOf('signature', {
        subject: descriptorOf(image.manifest),
        artifactType: 'example/signature',
      });
      await pushImage(store.registry, 'calico/node', signature);
      await store.names.set('docker.io', 'calico/node', 'v1', image.manifest.digest);
      await using upload = await store.registry.openUpload('calico/node');
      await upload.append(chunked(Buffer.from('half')));
      await store.registry.deleteManifest('calico/node', other.manifest.digest);
      for (const layer of other.layers) await store.registry.deleteBlob('calico/node', layer.descriptor.digest);

      const printed = await dockerGarbageCollect(directory.path);
      expect(printed).toContain(other.manifest.digest);
      expect(await store.registry.statBlob('calico/node', image.config.descriptor.digest)).toBeDefined();
      expect(
        await store.objects.stat(`docker/registry/v2/blobs/${pathOf(other.manifest.digest)}/data`),
      ).toBeUndefined();
      expect(await Array.fromAsync(store.registry.referrers('calico/node', image.manifest.digest))).toHaveLength(1);
      await using docker = await startDockerRegistry(directory.path);
      expect(await tagsAt(docker.url, 'calico/node')).toEqual(['multi', 'v1']);
      await expectServed(docker.url, 'calico/node', image, 'v1');
      const served = await fetch(`${docker.url}calico/node/manifests/multi`, { headers: { accept: sparse.mediaType } });
      expect(Buffer.from(await served.arrayBuffer())).toEqual(Buffer.from(sparse.bytes));
      const catalogue = (await (await fetch(`${docker.url}_catalog`)).json()) as { repositories: string[] };
      expect(catalogue.repositories).toEqual(['calico/node']);
    });

    it('lose a blob and its mark when it collects the blob', async () => {
      await using directory = await testDirectory();
      const { objects, blobs, registry } = await openEmbeddedStore(directory.path);
      await pushImage(registry, 'team/app', image, ['1']);
      const { descriptor, bytes } = blobOf(bytesOf('built', 5000));
      await looseBlobs(blobs).put(descriptor, opener(bytes));
      expect(await objects.stat(markKey(descriptor.digest))).toBeDefined();
      expect(await dockerGarbageCollect(directory.path)).toContain(descriptor.digest);
      const left = await Array.fromAsync(objects.list(BLOBS));
      expect(left.filter(({ key }) => key.includes(digestHex(descriptor.digest)))).toEqual([]);
    });

    it('keep what is pinned, and what rules of retention keep, after it has written to them', async () => {
      await using directory = await testDirectory();
      const store = await openEmbeddedStore(directory.path);
      const pins = pinsIn(store.objects);
      const [first, second, third, fourth, moved] = ['1', '2', '3', '4', 'moved'].map((seed) =>
        imageOf(seed),
      ) as Image[];
      await pushImage(store.registry, 'nightly/app', first as Image, ['1', 'moves']);
      await pushImage(store.registry, 'nightly/app', second as Image, ['2']);
      await pins.add({ repository: 'nightly/app', reference: 'moves' });
      await pins.add({ repository: 'nightly/app', reference: (first as Image).manifest.digest });
      {
        await using docker = await startDockerRegistry(directory.path);
        await pushTo(docker.url, 'nightly/app', third as Image, '3');
        await pushTo(docker.url, 'nightly/app', moved as Image, 'moves');
        await pushTo(docker.url, 'nightly/app', fourth as Image, '4');
      }
      const rules = [{ images: { repository: 'nightly/*', tag: '*' }, newest: 1 }];
      const { tags } = await collectStore(store, { retention: { rules } });
      expect(tags.map(({ tag }) => tag)).toEqual(['1', '2', '3']);
      expect((await pins.of('nightly/app')).tags).toEqual(new Set(['moves']));
      await dockerGarbageCollect(directory.path);
      await using docker = await startDockerRegistry(directory.path);
      expect(await tagsAt(docker.url, 'nightly/app')).toEqual(['4', 'moves']);
      await expectServed(docker.url, 'nightly/app', fourth as Image, '4');
      await expectServed(docker.url, 'nightly/app', moved as Image, 'moves');
      await expectServed(docker.url, 'nightly/app', first as Image, (first as Image).manifest.digest);
      for (const gone of [second, third] as Image[])
        expect(await store.stripped.statManifest('nightly/app', gone.manifest.digest)).toBeUndefined();
    });

    it('of blobs that it collected get them again', async () => {
      await using directory = await testDirectory();
      const store = await openEmbeddedStore(directory.path);
      const lonely = blobOf(bytesOf('lonely', 5000));
      await pushImage(store.registry, 'team/app', image, ['1']);
      const put = () => store.registry.putBlob('team/app', lonely.descriptor, opener(lonely.bytes));
      await put();
      await dockerGarbageCollect(directory.path);
      // docker-registry's collector leaves the blob's link. Without its bytes, the blob counts as absent.
      expect(await store.registry.statBlob('team/app', lonely.descriptor.digest)).toBeUndefined();
      await put();
      expect(await store.registry.statBlob('team/app', lonely.descriptor.digest)).toMatchObject({ size: 5000 });
    });
  },
);

async function pushTo(url: string, repository: string, pushed: Image, tag: string): Promise<void> {
  for (const { descriptor, bytes } of [pushed.config, ...pushed.layers]) {
    const started = await fetch(`${url}${repository}/blobs/uploads/`, { method: 'POST' });
    const upload = new URL(started.headers.get('location') ?? '', url);
    upload.searchParams.set('digest', descriptor.digest);
    const put = await fetch(upload, { method: 'PUT', body: new Uint8Array(bytes) });
    expect(put.status).toBe(201);
  }
  await putManifest(url, repository, pushed.manifest, tag);
}

async function putManifest(url: string, repository: string, manifest: RawManifest, tag: string): Promise<void> {
  const put = await fetch(`${url}${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': manifest.mediaType },
    body: new Uint8Array(manifest.bytes),
  });
  expect(put.status).toBe(201);
}

async function expectServed(url: string, repository: string, wanted: Image, tag: string): Promise<void> {
  const headers = { accept: wanted.manifest.mediaType };
  const served = await fetch(`${url}${repository}/manifests/${tag}`, { headers });
  expect(served.headers.get('docker-content-digest')).toBe(wanted.manifest.digest);
  for (const { descriptor, bytes } of [wanted.config, ...wanted.layers]) {
    const blob = await fetch(`${url}${repository}/blobs/${descriptor.digest}`);
    expect(Buffer.from(await blob.arrayBuffer())).toEqual(bytes);
  }
}

async function tagsAt(url: string, repository: string): Promise<readonly string[]> {
  const answer = (await (await fetch(`${url}${repository}/tags/list`)).json()) as { tags: string[] };
  return answer.tags.sort();
}

function descriptorOf({ mediaType, digest, size }: RawManifest) {
  return { mediaType, digest, size };
}

function pathOf(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `${algorithm}/${hex.slice(0, 2)}/${hex}`;
}
