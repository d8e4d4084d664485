// Docker Engine 25 and later with its containerd image store, simulated by a server, because they cannot be installed beside Debian's version.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blobOf, collect, indexOf, manifestOf } from '../../../test/contract/content.ts';
import { buildImage, type FixtureImage, layerOf } from '../../../test/fixtures/image.ts';
import { tar } from '../../../test/fixtures/tar.ts';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { digestHex, digestOf } from '../../oci/digest.ts';
import { decodeManifest, manifestDescriptor, type RawManifest, rawManifest } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../oci/media-types.ts';
import { parseReference } from '../../oci/reference.ts';
import { readTar } from '../../tar/reader.ts';
import { layerSpool } from '../compressing/layer-spool.ts';
import { type DockerDaemon, dockerDaemon } from './daemon.ts';
import { dockerDaemonSink } from './daemon-sink.ts';
import { openDaemonImage } from './daemon-source.ts';
import { fakeEngine } from './testing/fake-engine.ts';

interface Archived {
  readonly id: string;
  readonly files: readonly { readonly name: string; readonly data: Uint8Array }[];
}

interface Newer {
  readonly daemon: DockerDaemon;
  /** The files of the loaded archive, by name. */
  readonly loaded: Map<string, Buffer>;
}

/** A simulated daemon of API 1.48 that has one image. */
async function withDaemon<T>(
  { archived, containerd }: { readonly archived?: Archived; readonly containerd: boolean },
  work: (newer: Newer) => Promise<T>,
): Promise<T> {
  await using scratch = await temporaryDirectory('newer');
  const loaded = new Map<string, Buffer>();
  const driver = containerd ? [['driver-type', 'io.containerd.snapshotter.v1']] : [['Backing Filesystem', 'extfs']];
  await using engine = await fakeEngine(
    join(scratch.path, 'docker.sock'),
    (path, request, response) => {
      response.setHeader('server', 'Docker/28.0.0 (linux)');
      const [route] = path.split('?');
      const json = (value: unknown) => response.end(JSON.stringify(value));
      if (route === '/info') return void json({ DriverStatus: driver });
      if (route === '/images/json') return void json([]);
      if (route === '/images/get') return void response.end(tar(archived?.files ?? []));
      if (route === '/images/load')
        return void loadInto(loaded, request, () => response.end('{"stream":"Loaded"}\r\n'));
      json({ Id: archived?.id, RepoTags: ['x:1'], RepoDigests: [], RootFS: { Layers: [] }, Os: 'linux' });
    },
    '1.48',
  );
  using daemon = await dockerDaemon({ env: { DOCKER_HOST: engine.host }, home: '/nowhere' });
  if (!daemon) throw new Error('no daemon');
  return await work({ daemon, loaded });
}

async function loadInto(loaded: Map<string, Buffer>, archive: Bytes, done: () => void): Promise<void> {
  for await (const entry of readTar(archive, { tail: () => {} })) loaded.set(entry.name, await collect(entry.body));
  done();
}

function layout(
  manifests: readonly RawManifest[],
  blobs: readonly { readonly bytes: Uint8Array }[],
  root: RawManifest,
) {
  const files = [...manifests, ...blobs].map(({ bytes }) => ({
    name: `blobs/sha256/${digestHex(digestOf(bytes))}`,
    data: bytes,
  }));
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [manifestDescriptor(root)] };
  return [
    ...files.sort((a, b) => (a.name < b.name ? -1 : 1)),
    { name: 'index.json', data: Buffer.from(JSON.stringify(index)) },
    { name: 'oci-layout', data: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
  ];
}

function dockerManifest(config: string, layers: readonly string[]) {
  const path = (digest: string) => `blobs/sha256/${digest.slice(7)}`;
  const item = { Config: path(config), RepoTags: null, Layers: layers.map(path) };
  return { name: 'manifest.json', data: Buffer.from(JSON.stringify([item])) };
}

const packed = buildImage({ layers: [layerOf([{ name: 'a', data: 'a' }]), layerOf([{ name: 'b', data: 'b' }])] });
const raw = (image: FixtureImage) => rawManifest(image.manifest.bytes, image.manifest.mediaType);

describe('a daemon that keeps images in containerd’s store', () => {
  it('hands out an image as it was pulled: manifest and compressed layers', async () => {
    const root = raw(packed);
    const [config, ...layers] = packed.blobs.map(({ digest }) => digest) as [string, ...string[]];
    const files = [...layout([root], packed.blobs, root), dockerManifest(config, layers)];
    await withDaemon({ archived: { id: root.digest, files }, containerd: true }, async ({ daemon }) => {
      await using scratch = await temporaryDirectory('newer-source');
      await using spool = layerSpool({ directory: scratch.path, kind: 'gzip' });
      await using source = await openDaemonImage(
        daemon,
        { id: root.digest },
        { temporaryDirectory: scratch.path, spool },
      );
      expect(await source.root()).toEqual(root);
      for (const { bytes, digest, mediaType } of packed.blobs) {
        const blob = { mediaType, digest: digest as never, size: bytes.length };
        expect((await collect(await source.blob(blob, 0))).equals(bytes)).toBe(true);
      }
    });
  });

  it('hands out an index of which it has one platform', async () => {
    const child = raw(packed);
    const absent = manifestOf({
      mediaType: OCI_MANIFEST,
      config: blobOf(Buffer.from('{}'), OCI_CONFIG).descriptor,
      layers: [],
    });
    const root = indexOf([child, absent]);
    const files = layout([root, child], packed.blobs, root);
    await withDaemon({ archived: { id: root.digest, files }, containerd: true }, async ({ daemon }) => {
      await using scratch = await temporaryDirectory('newer-source');
      await using source = await openDaemonImage(daemon, { id: root.digest }, { temporaryDirectory: scratch.path });
      expect((await source.root()).digest).toBe(root.digest);
      expect(await source.manifest(manifestDescriptor(child))).toEqual(child);
      await expect(source.manifest(manifestDescriptor(absent))).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    });
  });

  it('is given all of an image, with its own manifest', async () => {
    await withDaemon({ containerd: true }, async ({ daemon, loaded }) => {
      await using sink = dockerDaemonSink(daemon, { temporaryDirectory: tmpdir() });
      const name = parseReference('quay.io/x/y:1');
      await sink.expect?.(name, {
        manifest: decodeManifest(raw(packed)) as never,
        config: async () => Buffer.from('{}'),
      });
      for (const { bytes, digest, mediaType } of packed.blobs) {
        const blob = { mediaType, digest: digest as never, size: bytes.length };
        await sink.putBlob(name, blob, async () => once(bytes));
      }
      await sink.commit(name, raw(packed));
      await sink.finish();
      for (const { bytes, digest } of [...packed.blobs, packed.manifest]) {
        expect(loaded.get(`blobs/sha256/${digest.slice(7)}`)?.equals(bytes)).toBe(true);
      }
      const index: unknown = JSON.parse(loaded.get('index.json')?.toString() ?? '');
      expect(index).toMatchObject({
        manifests: [{ digest: packed.manifest.digest, annotations: { 'io.containerd.image.name': 'quay.io/x/y:1' } }],
      });
      expect(JSON.parse(loaded.get('manifest.json')?.toString() ?? '')).toMatchObject([
        { RepoTags: ['quay.io/x/y:1'] },
      ]);
    });
  });

  it('gets the full name of an image with a short name, as the daemon takes the name from the index', async () => {
    await withDaemon({ containerd: true }, async ({ daemon, loaded }) => {
      await using sink = dockerDaemonSink(daemon, { temporaryDirectory: tmpdir() });
      const name = parseReference('app:1');
      for (const { bytes, digest, mediaType } of packed.blobs) {
        await sink.putBlob(name, { mediaType, digest: digest as never, size: bytes.length }, async () => once(bytes));
      }
      await sink.commit(name, raw(packed));
      await sink.finish();
      expect(JSON.parse(loaded.get('index.json')?.toString() ?? '')).toMatchObject({
        manifests: [{ annotations: { 'io.containerd.image.name': 'docker.io/library/app:1' } }],
      });
    });
  });
});

describe('a daemon since version 25', () => {
  it('hands out a layout of uncompressed layers, which are compressed as they come', async () => {
    const layers = ['a', 'b'].map((name) => blobOf(Buffer.from(tar([{ name, data: name.repeat(50_000) }])), OCI_LAYER));
    const diffIds = layers.map(({ descriptor }) => descriptor.digest);
    const config = blobOf(
      Buffer.from(
        JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: diffIds } }),
      ),
      OCI_CONFIG,
    );
    const root = manifestOf({
      mediaType: OCI_MANIFEST,
      config: config.descriptor,
      layers: layers.map(({ descriptor }) => descriptor),
    });
    const files = [...layout([root], [config, ...layers], root), dockerManifest(config.descriptor.digest, diffIds)];
    await withDaemon({ archived: { id: config.descriptor.digest, files }, containerd: false }, async ({ daemon }) => {
      await using scratch = await temporaryDirectory('newer-source');
      await using plain = await openDaemonImage(daemon, { id: 'x' }, { temporaryDirectory: scratch.path });
      expect((await plain.root()).digest).toBe(root.digest);
      await using spool = layerSpool({ directory: scratch.path, kind: 'gzip' });
      await using source = await openDaemonImage(daemon, { id: 'x' }, { temporaryDirectory: scratch.path, spool });
      const image = decodeManifest(await source.root());
      if (image.kind !== 'image') throw new Error('no image');
      expect(image.config.digest).toBe(config.descriptor.digest);
      expect(image.layers.map(({ mediaType }) => mediaType)).toEqual([OCI_LAYER_GZIP, OCI_LAYER_GZIP]);
      for (const layer of image.layers) expect(digestOf(await collect(await source.blob(layer, 0)))).toBe(layer.digest);
      // The layers were compressed while they arrived, and are not kept uncompressed.
      expect(await spool.known(diffIds[0] as never)).toMatchObject({ digest: image.layers[0]?.digest });
    });
  });
});

async function* once(bytes: Uint8Array): Bytes & AsyncGenerator<Uint8Array> {
  yield bytes;
}
