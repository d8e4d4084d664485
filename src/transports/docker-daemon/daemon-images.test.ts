import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobOf, manifestOf } from '../../../test/contract/content.ts';
import { layoutFiles, type NamedContent, writeFiles } from '../../../test/contract/named-content.ts';
import {
  buildImage,
  type FixtureImage,
  type FixtureLayer,
  layerOf,
  pushImage,
  randomLayer,
} from '../../../test/fixtures/image.ts';
import { tar } from '../../../test/fixtures/tar.ts';
import { type RegistryPeer, startDockerRegistry } from '../../../test/peers/docker-registry.ts';
import { type DockerPeer, startDockerd } from '../../../test/peers/dockerd.ts';
import { needs } from '../../../test/peers/find.ts';
import { must } from '../../../test/peers/process.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/peers/temporary.ts';
import { decodeConfig } from '../../oci/config.ts';
import type { Digest } from '../../oci/digest.ts';
import { decodeManifest, type ImageManifest, type RawManifest, rawManifest } from '../../oci/manifest.ts';
import { OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST } from '../../oci/media-types.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { storedRegistry } from '../../storage/repositories/stored-registry.ts';
import type { LayerMemory } from '../compressing/contract.ts';
import { layerMemory } from '../compressing/layer-memory.ts';
import { layerSpool } from '../compressing/layer-spool.ts';
import type { ImageSink, ImageSource } from '../contract.ts';
import { ociSource } from '../layout/layout-source.ts';
import { registrySink } from '../registry-sink.ts';
import { registrySource } from '../registry-source.ts';
import { type DockerDaemon, dockerDaemon } from './daemon.ts';
import { dockerDaemonSink } from './daemon-sink.ts';
import { findDaemonImage, openDaemonImage } from './daemon-source.ts';

const peers = needs('root', 'dockerd', 'docker', 'docker-registry');

function imageOf(raw: RawManifest): ImageManifest {
  const manifest = decodeManifest(raw);
  if (manifest.kind !== 'image') throw new Error('no image');
  return manifest;
}

async function drained(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(body));
}

/** Does what the copy engine does, without its limits: transports/ may not import copy/. */
async function copy(source: ImageSource, sink: ImageSink, name: Reference): Promise<readonly Digest[]> {
  const root = await source.root();
  const manifest = imageOf(root);
  await sink.expect?.(name, { manifest, config: async () => drained(await source.blob(manifest.config, 0)) });
  const blobs = [manifest.config, ...manifest.layers];
  const missing = await sink.missing(name, blobs);
  const opened: Digest[] = [];
  const open = (blob: (typeof blobs)[number]) => async (from: number) => {
    opened.push(blob.digest);
    return await source.blob(blob, from);
  };
  const lacking = blobs.filter(({ digest }) => missing.has(digest));
  await Promise.all(lacking.map((blob) => sink.putBlob(name, blob, open(blob))));
  await sink.commit(name, root);
  return opened;
}

describe.skipIf(peers.missing)(`images of a Docker daemon${peers.why}`, () => {
  let scratch: TemporaryDirectory;
  let peer: DockerPeer;
  let registry: RegistryPeer;
  let daemon: DockerDaemon;
  const at = (name: string) => join(scratch.path, name);

  beforeAll(async () => {
    scratch = await temporaryDirectory('daemon-images');
    [peer, registry] = await Promise.all([startDockerd(), startDockerRegistry()]);
    const found = await dockerDaemon({ env: { DOCKER_HOST: peer.host }, home: '/nowhere' });
    if (!found) throw new Error('no daemon');
    daemon = found;
    await mkdir(at('context'));
    await writeFile(
      at('root.tar'),
      tar([{ name: 'etc/' }, { name: 'etc/motd', data: 'hello\n' }, { name: 'a', data: 'a' }]),
    );
    await peer.docker(['import', at('root.tar'), 'base:1']);
    await writeFile(at('context/late'), 'later\n');
    await build(
      'FROM base:1\nCOPY late /etc/late\nCOPY late /etc/late\nCMD ["/x"]\nLABEL a=b\n',
      'example.com:5000/odd_name/x--y.z:V1.0_x',
    );
    await build('FROM scratch\nLABEL only=this\n', 'nothing:1');
  });

  afterAll(async () => {
    daemon?.[Symbol.dispose]();
    await peer?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
    await scratch?.[Symbol.asyncDispose]();
  });

  async function build(dockerfile: string, name: string): Promise<void> {
    await writeFile(at('context/Dockerfile'), dockerfile);
    await must('docker', ['build', '-t', name, at('context')], {
      env: { DOCKER_HOST: peer.host, DOCKER_BUILDKIT: '0' },
    });
  }

  const ODD = { reference: parseReference('example.com:5000/odd_name/x--y.z:V1.0_x') };
  const names = [ODD, { reference: parseReference('base:1') }];

  /** A layout that holds the image, as a source. */
  async function made(image: FixtureImage, directory: string): Promise<ImageSource> {
    const content: NamedContent = {
      name: { path: 'x', tag: '1' },
      root: rawManifest(image.manifest.bytes, image.manifest.mediaType),
      children: [],
      referrers: [],
      attached: [],
      blobs: image.blobs.map((blob) => blobOf(Buffer.from(blob.bytes), blob.mediaType)),
    };
    await writeFiles(at(directory), layoutFiles(content));
    return ociSource({ path: at(directory), ref: '1' });
  }

  async function load(source: ImageSource, name: string): Promise<readonly Digest[]> {
    await using sink = dockerDaemonSink(daemon, { temporaryDirectory: scratch.path });
    const opened = await copy(source, sink, parseReference(name));
    await sink.finish();
    return opened;
  }

  it.each(names)('have the config and layers that the daemon reports: %j', async (wanted) => {
    await using source = await openDaemonImage(daemon, wanted, { temporaryDirectory: scratch.path });
    const { config, layers } = imageOf(await source.root());
    const details = await daemon.inspectImage(source.id);
    expect(config.digest).toBe(source.id);
    expect(decodeConfig(await drained(await source.blob(config, 0))).diffIds).toEqual(details?.diffIds ?? []);
    expect(layers.map(({ mediaType }) => mediaType)).toEqual(layers.map(() => OCI_LAYER));
    expect(layers.map(({ digest }) => digest)).toEqual(details?.diffIds ?? []);
    // Streams from byte 0 verify themselves.
    for (const layer of layers) expect((await drained(await source.blob(layer, 0))).length).toBe(layer.size);
  });

  it('are found by name, by id and by its beginning, or are reported as unknown', async () => {
    const { id } = await openDaemonImage(daemon, ODD, { temporaryDirectory: scratch.path });
    for (const text of [id, id.slice(7), id.slice(7, 15)]) {
      expect((await findDaemonImage(daemon, { id: text }, { temporaryDirectory: scratch.path }))?.id).toBe(id);
    }
    const absent = { reference: parseReference('no/such:image') };
    expect(await findDaemonImage(daemon, absent, { temporaryDirectory: scratch.path })).toBeUndefined();
    await expect(openDaemonImage(daemon, absent, { temporaryDirectory: scratch.path })).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
      message: 'the Docker daemon has no such image [no/such:image]',
    });
  });

  it('without layers cannot be had from Docker', async () => {
    const wanted = { reference: parseReference('nothing:1') };
    await using source = await openDaemonImage(daemon, wanted, { temporaryDirectory: scratch.path });
    await expect(source.root()).rejects.toMatchObject({ code: 'UNSUPPORTED', hint: expect.any(String) });
  });

  it('go to a registry compressed, and Docker pulls the same image from it', async () => {
    const store = storedRegistry(memoryStore());
    const bytes = new Map<string, number>();
    for (const [number, wanted] of names.entries()) {
      await using spool = layerSpool({ directory: scratch.path, kind: 'gzip' });
      await using source = await openDaemonImage(daemon, wanted, { temporaryDirectory: scratch.path, spool });
      const root = await source.root();
      const { layers } = imageOf(root);
      for (const layer of layers) {
        expect(layer.mediaType).toBe(OCI_LAYER_GZIP);
        bytes.set(layer.digest, (await drained(await source.blob(layer, 0))).length);
        expect((await drained(await source.blob(layer, 20))).length).toBe(layer.size - 20);
      }
      const sink = registrySink(store, { label: 'memory', repository: ({ path }) => path, indexes: 'sparse' });
      await copy(source, sink, { path: 'app', tag: `${number}` });
      const name = `${registry.host}/app:${number}`;
      await push(registrySource(store, { path: 'app', tag: `${number}` }), registry, `app:${number}`);
      await peer.docker(['pull', name]);
      expect((await daemon.inspectImage(name))?.id).toBe(source.id);
      await peer.docker(['rmi', name]);
    }
    // The base is one blob, although two images have it.
    expect(bytes.size).toBe(3 - duplicates(await daemon.inspectImage('example.com:5000/odd_name/x--y.z:V1.0_x')));
  });

  it('whose compressed form is remembered are exported only if layers are wanted', async () => {
    let saves = 0;
    const counting: DockerDaemon = {
      ...daemon,
      save: (...args) => {
        saves++;
        return daemon.save(...args);
      },
    };
    const memory: LayerMemory = layerMemory(at('cache'), 'gzip-1');
    const open = async () => {
      const spool = layerSpool({ directory: scratch.path, kind: 'gzip', level: 1, memory });
      const source = await openDaemonImage(counting, ODD, { temporaryDirectory: scratch.path, spool });
      return { source, spool };
    };
    const first = await open();
    const root = await first.source.root();
    await first.source[Symbol.asyncDispose]();
    await first.spool[Symbol.asyncDispose]();
    expect(saves).toBe(1);

    const { source, spool } = await open();
    expect(await source.root()).toEqual(root);
    const { config, layers } = imageOf(root);
    expect((await drained(await source.blob(config, 0))).length).toBe(config.size);
    expect(saves).toBe(1);
    for (const layer of layers) expect((await drained(await source.blob(layer, 0))).length).toBe(layer.size);
    expect(saves).toBe(2);
    await source[Symbol.asyncDispose]();
    await spool[Symbol.asyncDispose]();
  });

  it('that other tools made can be loaded: many layers, equal ones, none', async () => {
    const equal = layerOf([{ name: 'twice', data: 'x' }]);
    const many = Array.from({ length: 30 }, (_, number) => layerOf([{ name: `n${number}`, data: `${number}` }]));
    for (const [number, layers] of [[equal, randomLayer('between', 700_000), equal], [], many].entries()) {
      const image = buildImage({ layers, kind: number === 0 ? 'docker' : 'oci' });
      await using source = await made(image, `made-${number}`);
      const opened = await load(source, `made/number-${number}:1`);
      expect(opened).toHaveLength(new Set(layers.map(({ digest }) => digest)).size + 1);
      expect(await daemon.inspectImage(`made/number-${number}:1`)).toMatchObject({
        id: image.blobs[0]?.digest,
        diffIds: layers.map(({ diffId }) => diffId),
      });
    }
  });

  it('whose layers the daemon has over the same base are loaded without them', async () => {
    const [base, top, other] = ['base', 'top', 'other'].map((seed) => randomLayer(`known-${seed}`, 200_000)) as [
      FixtureLayer,
      FixtureLayer,
      FixtureLayer,
    ];
    await using first = await made(buildImage({ layers: [base, top] }), 'known-1');
    await using second = await made(buildImage({ layers: [base, top, other] }), 'known-2');
    await using again = await made(buildImage({ layers: [base, top], env: ['X=y'] }), 'known-3');
    await using swapped = await made(buildImage({ layers: [top, base] }), 'known-4');
    await load(first, 'known:1');
    const opened = await load(second, 'known:2');
    expect(opened).toHaveLength(2);
    expect(opened).toContain(other.digest);
    expect(await load(again, 'known:3')).toHaveLength(1);
    // The same layers, but in another order.
    expect(await load(swapped, 'known:4')).toHaveLength(3);
    expect((await daemon.inspectImage('known:4'))?.diffIds).toEqual([top.diffId, base.diffId]);

    // Within one archive, a layer that one image does not need is sent for the other.
    await using one = await made(buildImage({ layers: [base, top], env: ['ONE=1'] }), 'known-5');
    await using two = await made(buildImage({ layers: [other, top], env: ['TWO=2'] }), 'known-6');
    await using sink = dockerDaemonSink(daemon, { temporaryDirectory: scratch.path });
    await copy(one, sink, parseReference('known:5'));
    await copy(two, sink, parseReference('known:6'));
    await sink.finish();
    expect((await daemon.inspectImage('known:6'))?.diffIds).toEqual([other.diffId, top.diffId]);
  });

  it('with layers that this Docker cannot read are loaded unpacked', async () => {
    const plain = tar([{ name: 'z', data: 'zstd' }]);
    const layer = blobOf(zstdCompressSync(plain), OCI_LAYER_ZSTD);
    const diffId = blobOf(Buffer.from(plain), '').descriptor.digest;
    const config = blobOf(
      Buffer.from(
        JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } }),
      ),
      'application/vnd.oci.image.config.v1+json',
    );
    const root = manifestOf({ mediaType: OCI_MANIFEST, config: config.descriptor, layers: [layer.descriptor] });
    const content = {
      name: { path: 'x', tag: '1' },
      root,
      children: [],
      referrers: [],
      attached: [],
      blobs: [config, layer],
    };
    await writeFiles(at('zstd'), layoutFiles(content));
    await using source = ociSource({ path: at('zstd'), ref: '1' });
    await load(source, 'packed/zstd:1');
    expect((await daemon.inspectImage('packed/zstd:1'))?.diffIds).toEqual([diffId]);
  });

  it('that break off while they are loaded do not keep others from being loaded', async () => {
    const good = buildImage({ layers: [randomLayer('good', 900_000)] });
    const bad = buildImage({ layers: [randomLayer('bad', 900_000)] });
    await using whole = await made(good, 'good');
    await using broken = await made(bad, 'bad');
    const breaking: ImageSource = {
      ...broken,
      async blob(blob, from) {
        const body = await broken.blob(blob, from);
        return blob.size < 100_000 ? body : cut(body);
      },
    };
    await using sink = dockerDaemonSink(daemon, { temporaryDirectory: scratch.path });
    // A layer alone is streamed to the daemon. Together with others it is first written to a file.
    const [layer] = imageOf(await broken.root()).layers;
    if (!layer) throw new Error('no layer');
    const alone = sink.putBlob(parseReference('will/be:bad'), layer, (from) => breaking.blob(layer, from));
    await expect(alone).rejects.toThrow('the line is cut');
    const [failing] = await Promise.allSettled([
      copy(breaking, sink, parseReference('will/be:bad')),
      copy(whole, sink, parseReference('will/be:good')),
    ]);
    expect(failing).toMatchObject({ status: 'rejected', reason: { message: 'the line is cut' } });
    await sink.finish();
    expect((await daemon.inspectImage('will/be:good'))?.id).toBe(good.blobs[0]?.digest);
    expect(await daemon.inspectImage('will/be:bad')).toBeUndefined();
    // The next attempt is not affected by the failed one.
    await load(broken, 'will/be:bad');
    expect((await daemon.inspectImage('will/be:bad'))?.id).toBe(bad.blobs[0]?.digest);
  });

  it('are not loaded if the sink is not committed', async () => {
    await using source = await made(buildImage({ layers: [randomLayer('unfinished', 300_000)] }), 'unfinished');
    {
      await using sink = dockerDaemonSink(daemon, { temporaryDirectory: scratch.path });
      await copy(source, sink, parseReference('un/finished:1'));
    }
    expect(await daemon.inspectImage('un/finished:1')).toBeUndefined();
  });
});

async function* cut(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    yield chunk.subarray(0, 1000);
    throw new Error('the line is cut');
  }
}

function duplicates(details: { readonly diffIds: readonly string[] } | undefined): number {
  const { diffIds = [] } = details ?? {};
  return diffIds.length - new Set(diffIds).size;
}

/** Pushes with plain requests, so that the check does not depend on our own client. */
async function push(source: ImageSource, { base }: RegistryPeer, name: string): Promise<void> {
  const root = await source.root();
  const { config, layers } = imageOf(root);
  const blobs = await Promise.all(
    [config, ...layers].map(async (blob) => ({ ...blob, bytes: await drained(await source.blob(blob, 0)) })),
  );
  await pushImage(base, name, { manifest: root, blobs, children: [], architecture: 'amd64' });
}
