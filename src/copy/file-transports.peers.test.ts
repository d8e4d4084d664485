// Transports that keep images in files, against the programs that write and read them: skopeo, podman, umoci, Docker, containerd.

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, gunzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobOf, collect } from '../../test/contract/content.ts';
import { layoutFiles, writeFiles } from '../../test/contract/named-content.ts';
import {
  blob,
  buildImage,
  busyboxLayer,
  type FixtureBlob,
  type FixtureImage,
  type FixtureLayer,
  layerOf,
  randomLayer,
} from '../../test/fixtures/image.ts';
import { type ContainerdPeer, startContainerd } from '../../test/peers/containerd.ts';
import { type DockerPeer, startDockerd } from '../../test/peers/dockerd.ts';
import { needs } from '../../test/peers/find.ts';
import { must } from '../../test/peers/process.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../test/peers/temporary.ts';
import { decodeConfig } from '../oci/config.ts';
import { digestOf } from '../oci/digest.ts';
import { decodeManifest, rawManifest } from '../oci/manifest.ts';
import { OCI_LAYER_ZSTD, OCI_MANIFEST } from '../oci/media-types.ts';
import { parseReference } from '../oci/reference.ts';
import { ociArchiveSink } from '../transports/archive/oci-archive-sink.ts';
import { openOciArchive } from '../transports/archive/oci-archive-source.ts';
import type { ImageSource } from '../transports/contract.ts';
import { dockerArchiveSink } from '../transports/docker-archive/docker-archive-sink.ts';
import { openDockerArchive, openDockerArchiveImage } from '../transports/docker-archive/docker-archive-source.ts';
import { planDockerArchive } from '../transports/docker-archive/docker-archive-stream.ts';
import { ociSink } from '../transports/layout/layout-sink.ts';
import { ociSource } from '../transports/layout/layout-source.ts';
import { executePlan } from './execute.ts';
import { planCopy } from './plan.ts';
import {
  copyOne,
  FILE_TRANSPORTS,
  type FileTransport,
  IMAGE_NAME,
  type TestLocation,
  testLocation,
} from './testing/file-transports.ts';

const image = buildImage({
  layers: [baseLayer(), randomLayer('peers', 100_000), layerOf([{ name: 'etc/hello', data: 'hello\n' }])],
  cmd: ['/bin/cat', '/etc/hello'],
});
const dockerImage = buildImage({ layers: [baseLayer(), randomLayer('docker', 50_000)], kind: 'docker' });

let directory: TemporaryDirectory;
let made = 0;

beforeAll(async () => {
  directory = await temporaryDirectory('peers');
});
afterAll(() => directory[Symbol.asyncDispose]());

/** A base layer with busybox, if this machine has it; else with only a directory. */
function baseLayer(): FixtureLayer {
  return needs('busybox').missing ? layerOf([{ name: 'etc/' }]) : busyboxLayer();
}

/** A path that does not exist yet. */
function fresh(name: string): string {
  made += 1;
  return join(directory.path, `${made}-${name}`);
}

function newLocation(kind: FileTransport): TestLocation {
  made += 1;
  return testLocation(kind, directory.path, `${made}`);
}

async function fixture(one: FixtureImage): Promise<ImageSource> {
  const path = fresh('fixture');
  const content = {
    name: IMAGE_NAME,
    root: rawManifest(one.manifest.bytes, one.manifest.mediaType),
    children: [],
    referrers: [],
    attached: [],
    blobs: one.blobs.map(({ bytes, mediaType }) => blobOf(Buffer.from(bytes), mediaType)),
  };
  await writeFiles(path, layoutFiles(content));
  return ociSource({ path });
}

function skopeoCopy(from: string, to: string, ...options: readonly string[]): Promise<string> {
  return must('skopeo', ['--insecure-policy', 'copy', '--quiet', ...options, from, to]);
}

/** Reads and verifies everything against its digests, and against the diffIDs if the layers are not compressed. */
async function readThrough(source: ImageSource): Promise<{ readonly digest: string; readonly config: string }> {
  const root = await source.root();
  const manifest = decodeManifest(root);
  if (manifest.kind !== 'image') throw new Error('no image');
  const config = decodeConfig(await collect(await source.blob(manifest.config, 0)));
  expect(config.diffIds).toHaveLength(manifest.layers.length);
  for (const layer of manifest.layers) {
    expect(digestOf(await collect(await source.blob(layer, 0)))).toBe(layer.digest);
  }
  return { digest: root.digest, config: manifest.config.digest };
}

const configDigest = (one: FixtureImage): string => one.blobs[0]?.digest ?? '';

const skopeo = needs('skopeo');

describe('skopeo', () => {
  for (const kind of FILE_TRANSPORTS) {
    it.skipIf(skopeo.missing)(`reads ${kind} as we write it${skopeo.why}`, async () => {
      // Before 1.14, skopeo does not find Docker manifests by name in a layout. They are still stored unchanged.
      for (const one of kind.startsWith('oci') ? [image] : [image, dockerImage]) {
        const location = newLocation(kind);
        await copyOne(await fixture(one), location.sink());
        const inspected = JSON.parse(await must('skopeo', ['inspect', location.text])) as { Digest: string };
        const config = await must('skopeo', ['inspect', '--config', '--raw', location.text]);
        expect(digestOf(Buffer.from(config))).toBe(configDigest(one));
        if (kind !== 'docker-archive') expect(inspected.Digest).toBe(one.manifest.digest);
        // Copies completely, so that the program reads and verifies every layer.
        await skopeoCopy(location.text, `dir:${fresh('dir')}`);
      }
    });

    it.skipIf(skopeo.missing)(`writes ${kind} as we read it${skopeo.why}`, async () => {
      for (const one of [image, dockerImage]) {
        const dir = newLocation('dir');
        await copyOne(await fixture(one), dir.sink());
        const location = newLocation(kind);
        await skopeoCopy(dir.text, location.text);
        await using source = await location.source();
        const read = await readThrough(source);
        // Its docker-archives hold uncompressed layers, its layouts hold no Docker manifests.
        const keeps = kind === 'dir' || (kind !== 'docker-archive' && one === image);
        if (keeps) expect(read.digest).toBe(one.manifest.digest);
        if (kind === 'docker-archive' || keeps) expect(read.config).toBe(configDigest(one));
      }
    });
  }

  it.skipIf(skopeo.missing)(`adds to a layout of ours, and we to one of its${skopeo.why}`, async () => {
    const path = fresh('layout');
    await copyOne(await fixture(image), ociSink(path), { name: parseReference('quay.io/x/one:one') });
    const dir = newLocation('dir');
    await copyOne(await fixture(buildImage({ layers: [randomLayer('two', 10_000)] })), dir.sink());
    await skopeoCopy(dir.text, `oci:${path}:two`);
    const three = buildImage({ layers: [randomLayer('three', 10_000)] });
    await copyOne(await fixture(three), ociSink(path), { name: parseReference('quay.io/x/three:three') });
    for (const [ref, digest] of [
      ['one', image.manifest.digest],
      ['two', buildImage({ layers: [randomLayer('two', 10_000)] }).manifest.digest],
      ['three', three.manifest.digest],
    ]) {
      const inspected = JSON.parse(await must('skopeo', ['inspect', `oci:${path}:${ref}`])) as { Digest: string };
      expect(inspected.Digest).toBe(digest);
      expect((await readThrough(ociSource({ path, ref: ref ?? '' }))).digest).toBe(digest);
    }
  });
});

const umoci = needs('umoci');

describe('umoci', () => {
  it.skipIf(umoci.missing)(`reads and changes a layout of ours${umoci.why}`, async () => {
    const location = newLocation('oci');
    await copyOne(await fixture(image), location.sink());
    const layout = location.text.slice('oci:'.length);
    expect(await must('umoci', ['stat', '--image', layout, '--json'])).toContain('fixture');
    await must('umoci', ['config', '--image', layout, '--tag', 'changed', '--config.cmd', 'other']);
    const path = layout.slice(0, layout.lastIndexOf(':'));
    const changed = await readThrough(ociSource({ path, ref: 'changed' }));
    expect(changed.digest).not.toBe(image.manifest.digest);
    expect((await readThrough(ociSource({ path, ref: '1' }))).digest).toBe(image.manifest.digest);
  });
});

const podman = needs('podman', 'root');

describe('podman', () => {
  const run = async (...args: readonly string[]) => {
    const root = join(directory.path, 'podman');
    await mkdir(root, { recursive: true });
    const roots = ['--root', join(root, 'root'), '--runroot', join(root, 'run'), '--storage-driver', 'vfs'];
    return must('podman', [...roots, '--tmpdir', join(root, 'tmp'), ...args]);
  };

  it.skipIf(podman.missing)(`loads docker-archives of one image and of several${podman.why}`, async () => {
    const file = fresh('two.tar');
    const sink = dockerArchiveSink(file, { temporaryDirectory: tmpdir() });
    const plan = await planCopy(
      [
        { name: parseReference('quay.io/x/one:1'), source: await fixture(image) },
        { name: parseReference('docker.io/library/two:2'), source: await fixture(dockerImage) },
      ],
      sink,
      { platforms: [{ os: 'linux', architecture: 'amd64' }] },
    );
    await executePlan(plan, sink);
    await run('load', '-i', file);
    const ids = (await run('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}')).trim().split('\n');
    expect(ids.sort()).toEqual([
      `docker.io/library/two:2 ${configDigest(dockerImage)}`,
      `quay.io/x/one:1 ${configDigest(image)}`,
    ]);

    const saved = fresh('saved.tar');
    await run('save', '--format', 'docker-archive', '-m', '-o', saved, 'quay.io/x/one:1', 'docker.io/library/two:2');
    await using archive = await openDockerArchive(saved, { temporaryDirectory: tmpdir() });
    expect(archive.images.flatMap(({ names }) => names).sort()).toEqual(['docker.io/library/two:2', 'quay.io/x/one:1']);
    expect((await readThrough(archive.source({ reference: parseReference('two:2') }))).config).toBe(
      configDigest(dockerImage),
    );
    const oci = newLocation('oci-archive');
    await run('save', '--format', 'oci-archive', '-o', oci.text.split(':')[1] ?? '', 'quay.io/x/one:1');
    await using source = await openOciArchive(
      { path: oci.text.split(':')[1] ?? '', ref: 'quay.io/x/one:1' },
      { temporaryDirectory: tmpdir() },
    );
    await readThrough(source);
  });
});

const docker = needs('docker', 'dockerd', 'busybox', 'root');

describe('Docker', () => {
  let peer: DockerPeer;
  beforeAll(async () => {
    if (!docker.missing) peer = await startDockerd();
  });
  afterAll(() => peer?.[Symbol.asyncDispose]());

  it.skipIf(docker.missing)(`loads what we write, as a file and as a stream, and runs it${docker.why}`, async () => {
    const file = fresh('one.tar');
    await copyOne(await fixture(image), dockerArchiveSink(file, { temporaryDirectory: tmpdir() }));
    expect(await peer.docker(['load', '-i', file])).toContain('Loaded image: quay.io/x/app:1');
    expect((await peer.docker(['inspect', '--format', '{{.Id}}', 'quay.io/x/app:1'])).trim()).toBe(configDigest(image));
    const out = await peer.docker(['run', '--rm', '--network=none', 'quay.io/x/app:1']);
    expect(out).toBe('hello\n');

    const source = await fixture(dockerImage);
    const names = [parseReference('two:2'), parseReference('two:also')];
    await using planned = await planDockerArchive([{ names, manifest: await source.root(), source }], {
      temporaryDirectory: tmpdir(),
    });
    const streamed = fresh('streamed.tar');
    await pipeline(planned.bytes(), createWriteStream(streamed));
    await peer.docker(['load', '-i', streamed]);
    for (const name of ['two:2', 'two:also']) {
      const id = await peer.docker(['inspect', '--format', '{{.Id}}', name]);
      expect(id.trim()).toBe(configDigest(dockerImage));
    }
  });

  it.skipIf(docker.missing)(`loads layers that are zstd elsewhere${docker.why}`, async () => {
    const plain = busyboxLayer();
    const packed = blob(OCI_LAYER_ZSTD, zstdCompressSync(gunzipSync(plain.bytes)));
    const { blobs } = buildImage({ layers: [plain], cmd: ['/bin/echo', 'zstd'] });
    const config = blobs[0] ?? plain;
    const descriptor = ({ mediaType, digest, bytes }: FixtureBlob) => ({ mediaType, digest, size: bytes.length });
    const fields = { mediaType: OCI_MANIFEST, config: descriptor(config), layers: [descriptor(packed)] };
    const manifest = blob(OCI_MANIFEST, Buffer.from(JSON.stringify({ schemaVersion: 2, ...fields })));
    const file = fresh('zstd.tar');
    const source = await fixture({ manifest, blobs: [config, packed], children: [], architecture: 'amd64' });
    await copyOne(source, dockerArchiveSink(file, { temporaryDirectory: tmpdir() }));
    await peer.docker(['load', '-i', file]);
    expect(await peer.docker(['run', '--rm', '--network=none', 'quay.io/x/app:1'])).toBe('zstd\n');
  });

  it.skipIf(docker.missing)(
    `saves what we read, layers that are the same included, also packed${docker.why}`,
    async () => {
      const context = fresh('context');
      await mkdir(context);
      await writeFile(join(context, 'x'), 'x');
      // Two layers with the same content: the second is a link in what Docker saves.
      await writeFile(
        join(context, 'Dockerfile'),
        'FROM scratch\nCOPY x /x\nCOPY x /y\nCOPY x /x\nCOPY x /x\nENV A=b\n',
      );
      await peer.docker(['build', '-q', '-t', 'built:1', context]);
      const id = (await peer.docker(['inspect', '--format', '{{.Id}}', 'built:1'])).trim();
      const file = fresh('saved.tar');
      await peer.docker(['save', '-o', file, 'built:1']);
      await using source = await openDockerArchiveImage(
        file,
        { reference: parseReference('built:1') },
        { temporaryDirectory: tmpdir() },
      );
      const read = await readThrough(source);
      expect(read.config).toBe(id);

      const packed = fresh('saved.tar.zst');
      await pipeline(createReadStream(file), createZstdCompress(), createWriteStream(packed));
      const layout = newLocation('oci');
      await copyOne(await openDockerArchiveImage(packed, {}, { temporaryDirectory: tmpdir() }), layout.sink());
      await using copied = await layout.source();
      expect(await readThrough(copied)).toEqual(read);
      const back = fresh('back.tar');
      await copyOne(await layout.source(), dockerArchiveSink(back, { temporaryDirectory: tmpdir() }));
      await peer.docker(['rmi', '-f', id]);
      await peer.docker(['load', '-i', back]);
      expect((await peer.docker(['inspect', '--format', '{{.Id}}', 'quay.io/x/app:1'])).trim()).toBe(id);
    },
  );
});

const containerd = needs('containerd', 'ctr', 'root');

describe('containerd', () => {
  let peer: ContainerdPeer;
  beforeAll(async () => {
    if (!containerd.missing) peer = await startContainerd();
  });
  afterAll(() => peer?.[Symbol.asyncDispose]());

  it.skipIf(containerd.missing)(`imports both archives, and exports what we read${containerd.why}`, async () => {
    for (const kind of ['docker-archive', 'oci-archive'] as const) {
      const file = fresh(kind);
      await copyOne(
        await fixture(image),
        kind === 'oci-archive'
          ? ociArchiveSink(file, { temporaryDirectory: tmpdir() })
          : dockerArchiveSink(file, { temporaryDirectory: tmpdir() }),
      );
      await peer.ctr(['images', 'import', '--no-unpack', file]).catch(() => peer.ctr(['images', 'import', file]));
      const listed = await peer.ctr(['images', 'ls']);
      expect(listed).toContain('quay.io/x/app:1');
      expect(listed).toContain(image.manifest.digest);
      const exported = fresh('exported.tar');
      await peer.ctr(['images', 'export', exported, 'quay.io/x/app:1']);
      await using source = await openDockerArchiveImage(
        exported,
        { reference: IMAGE_NAME },
        { temporaryDirectory: tmpdir() },
      );
      expect((await readThrough(source)).digest).toBe(image.manifest.digest);
      await peer.ctr(['images', 'rm', 'quay.io/x/app:1']);
    }
  });
});
