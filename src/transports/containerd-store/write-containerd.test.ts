import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { pipeOutput } from '../../io/files/rewindable-output.ts';
import { digestOf } from '../../oci/digest.ts';
import { decodeManifest, type ImageManifest, rawManifest } from '../../oci/manifest.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import type { TestEntry } from '../../rootfs/testing/layers.ts';
import { chainIds } from '../chain-ids.ts';
import { imageToStore } from '../containers-storage/testing/made-store.ts';
import { readBolt } from './bolt/read-bolt.ts';
import { sourceLabels } from './containerd-images.ts';
import { goTime, readUvarint, readVarint, uvarint, varint } from './encodings.ts';
import { asObject, containerdEntries, madeContainerd, TEST_ROOT } from './testing/made-containerd.ts';
import { writeContainerd } from './write-containerd.ts';

const base: TestEntry[] = [{ name: 'base', content: 'b' }];
const top: TestEntry[] = [{ name: '.wh.base' }, { name: 'x', content: 'x' }];
const images = [
  { names: ['docker.io/library/a:1'], layers: [base] },
  { names: ['quay.io:443/team/b:2', 'docker.io/library/b:1'], layers: [base, top] },
];
const SNAPSHOTS = `${TEST_ROOT}/io.containerd.snapshotter.v1.overlayfs/snapshots`;

interface Tree {
  readonly [key: string]: Tree;
}
async function databases(archive: Uint8Array) {
  const entries = await containerdEntries(archive);
  const read = (name: string): Tree =>
    asObject(readBolt(entries.get(`${TEST_ROOT}/${name}`)?.content ?? Buffer.alloc(0))) as unknown as Tree;
  return {
    entries,
    meta: read('io.containerd.metadata.v1.bolt/meta.db').v1 as Tree,
    snapshots: read('io.containerd.snapshotter.v1.overlayfs/metadata.db').v1 as Tree,
  };
}

describe('a store of containerd', () => {
  it('has each layer once, as a snapshot and as a blob', async () => {
    const { archive, written } = await madeContainerd(images);
    const { entries, meta, snapshots } = await databases(archive);
    expect(written.layers).toBe(2);
    expect(entries.get(`${SNAPSHOTS}/1/fs/base`)?.content.toString()).toBe('b');
    expect(entries.get(`${SNAPSHOTS}/2/fs/base`)).toMatchObject({ type: 'character', device: { major: 0, minor: 0 } });
    const blobs = [...entries].filter(([name, { type }]) => name.includes('/blobs/') && type === 'file');
    for (const [name, { content, mode }] of blobs) {
      expect(digestOf(content)).toBe(`sha256:${name.slice(-64)}`);
      expect(mode).toBe(0o444);
    }
    expect(Object.keys(meta['k8s.io']?.content?.blob ?? {}).sort()).toEqual(
      blobs.map(([name]) => `sha256:${name.slice(-64)}`).sort(),
    );
    expect(Object.keys(snapshots.snapshots ?? {})).toHaveLength(2);
  });

  it('has for CRI three names of each image, all pinned', async () => {
    const { archive, written } = await madeContainerd(images);
    const { meta } = await databases(archive);
    const [a, b] = ['docker.io/library/a:1', 'docker.io/library/b:1'].map((name) =>
      written.images.find(({ names }) => names.includes(name)),
    );
    expect(Object.keys(meta['k8s.io']?.images ?? {}).sort()).toEqual(
      [
        'docker.io/library/a:1',
        `docker.io/library/a@${a?.digest}`,
        `sha256:${a?.id}`,
        'docker.io/library/b:1',
        'quay.io:443/team/b:2',
        `docker.io/library/b@${b?.digest}`,
        `quay.io:443/team/b@${b?.digest}`,
        `sha256:${b?.id}`,
      ].sort(),
    );
    for (const image of Object.values(meta['k8s.io']?.images ?? {})) {
      expect(image.labels).toEqual({ 'io.cri-containerd.image': 'managed', 'io.cri-containerd.pinned': 'pinned' });
    }
  });

  it('keeps snapshots alive by the config, and a parent by its children', async () => {
    const { archive } = await madeContainerd(images);
    const { meta, snapshots } = await databases(archive);
    const own = meta['k8s.io']?.snapshots?.overlayfs ?? {};
    const child = Object.entries(own).find(([, { parent }]) => parent);
    const parent = String(child?.[1].parent);
    expect(own[parent]?.children).toEqual({ [String(child?.[0])]: '' });
    const labels = Object.values(meta['k8s.io']?.content?.blob ?? {}).map((one) => one.labels ?? {});
    expect(
      labels
        .map((one) => one['containerd.io/gc.ref.snapshot.overlayfs'])
        .filter(Boolean)
        .sort(),
    ).toEqual([parent, String(child?.[0])].sort());
    expect(snapshots.parents).toEqual({ '\x01\x00\x02': `k8s.io/2/${child?.[0]}` });
  });

  it('leaves out the blobs of layers where that is asked for, and the labels that lead there', async () => {
    const { archive } = await madeContainerd(images, { withLayers: false });
    const { meta } = await databases(archive);
    const blobs = Object.values(meta['k8s.io']?.content?.blob ?? {});
    expect(blobs).toHaveLength(4);
    expect(JSON.stringify(blobs)).not.toContain('gc.ref.content.l.');
  });

  it('is the same bytes for the same images in any order', async () => {
    const { archive } = await madeContainerd(images);
    expect((await madeContainerd(images.toReversed())).archive.equals(archive)).toBe(true);
  });

  it('points to an index only if that leads to the image', async () => {
    const [one] = await Promise.all(images.map(imageToStore));
    if (!one) throw new Error();
    const index = (digest: string) =>
      rawManifest(
        Buffer.from(
          JSON.stringify({
            schemaVersion: 2,
            mediaType: OCI_INDEX,
            manifests: [{ mediaType: one.image.raw.mediaType, digest, size: one.image.raw.size }],
          }),
        ),
      );
    for (const [digest, isDirect] of [
      [one.image.raw.digest, true],
      [`sha256:${'1'.repeat(64)}`, false],
    ] as const) {
      const root = index(digest);
      const sink = pipeOutput(async () => {}, tmpdir());
      const { images: made } = await writeContainerd([{ ...one, image: { ...one.image, root } }], sink, {
        root: TEST_ROOT,
        withLayers: true,
        temporaryDirectory: tmpdir(),
      });
      expect(made[0]?.digest).toBe(isDirect ? root.digest : one.image.raw.digest);
    }
  });

  it('has a layer in each of its compressions, but unpacked once', async () => {
    const [one, other] = await Promise.all([
      imageToStore(images[1] as (typeof images)[1]),
      imageToStore(images[1] as (typeof images)[1]),
    ]);
    const manifest = decodeManifest(one.image.raw) as ImageManifest;
    const packed = one.image.layers.map((layer) => {
      const bytes = gzipSync((layer as unknown as { readonly archive: Uint8Array }).archive);
      const descriptor = { ...layer.descriptor, digest: digestOf(bytes), size: bytes.length };
      return { ...layer, descriptor, open: async () => bytesOf(bytes) };
    });
    const raw = rawManifest(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: manifest.mediaType,
          config: manifest.config,
          layers: packed.map(({ descriptor }) => descriptor),
        }),
      ),
    );
    const gzipped = { ...one.image, raw, root: raw, manifest: decodeManifest(raw) as ImageManifest, layers: packed };
    const chunks: Uint8Array[] = [];
    const sink = pipeOutput(async (bytes) => void chunks.push(Buffer.from(bytes)), tmpdir());
    const options = { root: TEST_ROOT, withLayers: true, temporaryDirectory: tmpdir() };
    await writeContainerd([{ names: ['docker.io/library/z:1'], image: gzipped }, other], sink, options);
    const { entries, meta } = await databases(Buffer.concat(chunks));
    const digests = Object.keys(meta['k8s.io']?.content?.blob ?? {});
    for (const { descriptor } of [...packed, ...other.image.layers]) expect(digests).toContain(descriptor.digest);
    for (const digest of digests) {
      const { content } =
        entries.get(`${TEST_ROOT}/io.containerd.content.v1.content/blobs/sha256/${digest.slice(7)}`) ?? {};
      expect(digestOf(content ?? Buffer.alloc(0))).toBe(digest);
    }
    expect([...entries.keys()].filter((name) => /snapshots\/\d+\/$/.test(name))).toHaveLength(2);
  });

  it('can be shared: what each VM has of its own is an archive in it', async () => {
    const { archive } = await madeContainerd(images, { shared: true });
    const entries = await containerdEntries(archive);
    const own = await containerdEntries(entries.get('containerd.tar')?.content ?? Buffer.alloc(0));
    expect(own.get(`${SNAPSHOTS}/2`)).toMatchObject({
      type: 'symlink',
      linkname: '/usr/lib/images/containerd/snapshots/2',
    });
    expect(entries.get('snapshots/2/fs/x')?.content.toString()).toBe('x');
    for (const [name, { type, linkname }] of own) {
      if (type === 'symlink') {
        const target = linkname.replace('/usr/lib/images/containerd/', '');
        expect(entries.has(target) || entries.has(`${target}/`), name).toBe(true);
      }
    }
  });

  it('refuses a layer whose archive is not what its config says', async () => {
    const one = await imageToStore(images[0] as (typeof images)[0]);
    const layers = one.image.layers.map((layer) => ({ ...layer, diffId: `sha256:${'0'.repeat(64)}` as const }));
    const sink = pipeOutput(async () => {}, tmpdir());
    await expect(
      writeContainerd([{ ...one, image: { ...one.image, layers } }], sink, {
        root: TEST_ROOT,
        withLayers: true,
        temporaryDirectory: tmpdir(),
      }),
    ).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
  });
});

async function* bytesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

describe('what containerd computes', () => {
  it('is computed alike: chain ids', () => {
    const [a, b] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}` as const) as [
      `sha256:${string}`,
      `sha256:${string}`,
    ];
    expect(chainIds([a, b])).toEqual([a, digestOf(Buffer.from(`${a} ${b}`))]);
  });

  it('is written alike: numbers and times', () => {
    expect(Buffer.from(uvarint(300)).toString('hex')).toBe('ac02');
    expect(Buffer.from(varint(3)).toString('hex')).toBe('06');
    for (const value of [0, 1, 127, 128, 2 ** 31, 2 ** 40, 2 ** 51]) {
      expect(readUvarint(uvarint(value))).toBe(value);
      expect(readVarint(varint(value))).toBe(value);
    }
    expect(readUvarint(Buffer.alloc(12, 0xff))).toBeUndefined();
    expect(readUvarint(Buffer.of(0x80))).toBeUndefined();
    expect(readVarint(Buffer.of(1))).toBeUndefined();
    expect(Buffer.from(goTime(Date.parse('2024-01-02T03:04:05.5Z'))).toString('hex')).toBe(
      '010000000edd2574251dcd6500ffff',
    );
  });

  it('names sources without ports, sorted, as long as a label may be', () => {
    const label = 'containerd.io/distribution.source.h.io';
    expect(sourceLabels(['h.io:5000/b:1', 'h.io/a:1', 'h.io/a:2'])).toEqual({ [label]: 'a,b' });
    const many = Array.from({ length: 900 }, (_, at) => `h.io/repository-${at}:1`);
    expect(`${label}${sourceLabels(many)[label]}`.length).toBeLessThanOrEqual(4096);
  });
});
