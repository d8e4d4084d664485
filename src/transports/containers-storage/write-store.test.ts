import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { pipeOutput } from '../../io/files/rewindable-output.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Layer } from '../../rootfs/contract.ts';
import { layerOf, type TestEntry } from '../../rootfs/testing/layers.ts';
import { readTar } from '../../tar/reader.ts';
import { layerIds, linkOf } from './layer-ids.ts';
import { imageToStore, madeStore } from './testing/made-store.ts';
import { writeStore } from './write-store.ts';

const base: TestEntry[] = [{ name: 'base', content: 'b' }];
const image = (name: string, ...layers: TestEntry[][]) => ({
  names: [`docker.io/library/${name}`],
  layers: [base, ...layers],
});

async function entriesOf(archive: Uint8Array): Promise<ReadonlyMap<string, Buffer>> {
  const all = new Map<string, Buffer>();
  async function* bytes() {
    yield archive;
  }
  for await (const { name, body } of readTar(bytes())) {
    expect(all.has(name), name).toBe(false);
    all.set(name, Buffer.concat(await Array.fromAsync(body)));
  }
  return all;
}

type LayerRecord = Readonly<Record<string, unknown>>;

async function layersJson(archive: Uint8Array) {
  return JSON.parse(String((await entriesOf(archive)).get('store/overlay-layers/layers.json')));
}

describe('ids of layers', () => {
  const diffIds = ['a', 'b', 'a'].map((digit): Digest => `sha256:${digit.repeat(64)}`);

  it('are computed from the chain, as skopeo does', () => {
    const [first = '', second = '', third] = layerIds(diffIds);
    expect(first).toBe('a'.repeat(64));
    expect(second).toBe(
      createHash('sha256')
        .update(`${first}+${'b'.repeat(64)}`)
        .digest('hex'),
    );
    expect(third).toBe(
      createHash('sha256')
        .update(`${second}+${'a'.repeat(64)}`)
        .digest('hex'),
    );
  });

  it('give links of 26 characters that differ if the ids do', () => {
    const links = layerIds(diffIds).map(linkOf);
    for (const link of links) expect(link).toMatch(/^[A-Z2-7]{26}$/);
    expect(new Set(links).size).toBe(3);
    expect(linkOf('0'.repeat(64))).toBe('A'.repeat(26));
    expect(linkOf('f'.repeat(64))).toBe('7'.repeat(26));
  });
});

describe('a store as an archive', () => {
  it('has shared layers once, parents first, JSON last', async () => {
    const { archive, written } = await madeStore([image('a:1', [{ name: 'x' }]), image('b:1', [{ name: 'y' }])]);
    expect(written.layers).toBe(3);
    const entries = await entriesOf(archive);
    const layers = JSON.parse(String(entries.get('store/overlay-layers/layers.json')));
    expect(layers[0].parent).toBeUndefined();
    expect(layers.slice(1).map(({ parent }: { parent: string }) => parent)).toEqual([layers[0].id, layers[0].id]);
    const names = [...entries.keys()];
    const lastTree = names.findLastIndex((name) => name.startsWith('store/overlay/'));
    expect(names.indexOf('store/overlay-images/images.json')).toBeGreaterThan(lastTree);
    const [child] = layers.slice(1);
    expect(String(entries.get(`store/overlay/${child.id}/lower`))).toBe(`l/${linkOf(layers[0].id)}`);
    expect(String(entries.get(`store/overlay/${child.id}/lower-layers`))).toBe(layers[0].id);
  });

  it('records the owners in a layer, and times; layers are called by the chain of their digests', async () => {
    const owned = [
      { name: 'x', content: 'x', uid: 7, gid: 3 },
      { name: 'y', content: 'y', uid: 1000, gid: 0 },
    ];
    const { archive } = await madeStore([image('a:1', owned)]);
    const [below, above] = await layersJson(archive);
    expect([below.uidset, below.gidset, above.uidset, above.gidset]).toEqual([[0], [0], [7, 1000], [0, 3]]);
    expect([below.id, above.id]).toEqual(layerIds([below['diff-digest'], above['diff-digest']]));
    const [made] = JSON.parse(String((await entriesOf(archive)).get('store/overlay-images/images.json')));
    for (const { created } of [below, above, made]) expect(created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it('is the same whatever the order of the images', async () => {
    const images = [image('a:1', [{ name: 'x' }]), image('b:1', [{ name: 'y' }]), image('c:1')];
    const one = await madeStore(images);
    const other = await madeStore(images.toReversed());
    expect(one.archive.equals(other.archive)).toBe(true);
  });

  it('has an image with several names once, and a name at one image only: the last that claims it', async () => {
    const { written } = await madeStore([
      image('a:1'),
      { ...image('b:1'), names: ['quay.io/b:1'] },
      image('a:1', [{ name: 'x' }]),
    ]);
    const names = written.images.map((one) => one.names);
    expect(names).toHaveLength(2);
    expect(names).toContainEqual(['docker.io/library/a:1']);
    expect(names).toContainEqual(['quay.io/b:1']);
  });

  it('writes a layer without entries that later ones of it replace', async () => {
    const { archive } = await madeStore([
      image('a:1', [
        { name: 'x', content: '1' },
        { name: 'x/y', content: '2' },
      ]),
    ]);
    const trees = [...(await entriesOf(archive))].filter(([name]) => /\/diff\/x/.test(name));
    expect(trees.map(([name, content]) => [name.replace(/.*\/diff/, ''), String(content)])).toEqual([
      ['/x/y', '2'],
      ['/x/', ''],
    ]);
  });

  it('names the blob that the manifest names, also of a layer that is taken over', async () => {
    const plain = await imageToStore(image('a:1'));
    const packed = await layerOf(base, { gzip: true });
    const again = { ...plain, image: { ...plain.image, layers: [packed] } };
    const chunks: Uint8Array[] = [];
    const options = { graphRoot: 'store', temporaryDirectory: tmpdir() };
    const output = (to: Uint8Array[]) => pipeOutput(async (bytes) => void to.push(bytes), tmpdir());
    await writeStore([plain], output(chunks), options);
    const [{ id }] = await layersJson(Buffer.concat(chunks));
    const record = {
      id,
      created: '',
      blob: { digest: plain.image.layers[0]?.descriptor.digest as Digest, size: 1 },
      diffId: packed.diffId as Digest,
      size: packed.archive.length,
      uids: [0],
      gids: [0],
    };
    const updated: Uint8Array[] = [];
    const stored = { record: () => record, copy: async () => {}, rootDirectory: () => undefined };
    await writeStore([again], output(updated), { ...options, stored });
    const fresh: Uint8Array[] = [];
    await writeStore([again], output(fresh), options);
    expect(await layersJson(Buffer.concat(updated))).toEqual(await layersJson(Buffer.concat(fresh)));
    expect((await layersJson(Buffer.concat(updated)))[0]).toMatchObject({
      'compressed-diff-digest': packed.descriptor.digest,
      compression: 2,
    });
  });

  it('records for each layer whether its blob is the archive itself, or how it was compressed', async () => {
    const plain = await imageToStore(image('a:1', [{ name: 'x', content: 'x' }]));
    const packed = [await layerOf(base, { gzip: true }), ...plain.image.layers.slice(1)];
    const chunks: Uint8Array[] = [];
    const output = pipeOutput(async (bytes) => void chunks.push(bytes), tmpdir());
    const mixed = { ...plain, image: { ...plain.image, layers: packed } };
    await writeStore([mixed], output, { graphRoot: 'store', temporaryDirectory: tmpdir() });
    const records = await layersJson(Buffer.concat(chunks));
    expect(records.map((record: LayerRecord) => record.compression ?? 0)).toEqual([2, 0]);
    for (const { compression = 0, ...record } of records as readonly LayerRecord[]) {
      expect(record['compressed-diff-digest'] === record['diff-digest']).toBe(compression === 0);
    }
  });

  it('holds an image without layers', async () => {
    const { archive } = await madeStore([{ names: ['docker.io/library/none:1'], layers: [] }]);
    const [one] = JSON.parse(String((await entriesOf(archive)).get('store/overlay-images/images.json')));
    expect(one.layer).toBeUndefined();
  });

  it('refuses more layers than can be mounted, and a layer that is not what the config says', async () => {
    const many = {
      names: ['docker.io/library/many:1'],
      layers: Array.from({ length: 501 }, (_, at) => [{ name: `f${at}` }]),
    };
    await expect(madeStore([many])).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    const { names, image: good } = await imageToStore(image('a:1'));
    const other = good.layers.map((layer): Layer => ({ ...layer, diffId: `sha256:${'0'.repeat(64)}` }));
    const output = pipeOutput(async () => {}, tmpdir());
    const writing = writeStore([{ names, image: { ...good, layers: other } }], output, {
      graphRoot: 'store',
      temporaryDirectory: tmpdir(),
    });
    await expect(writing).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
  });

  it('names the image and the layer that cannot be written', async () => {
    const long = image('long:1', [{ name: 'x'.repeat(300), content: 'x' }]);
    await expect(madeStore([image('a:1'), long])).rejects.toMatchObject({
      code: 'TAR_INVALID',
      message: expect.stringMatching(
        /^a name of more than 255 bytes \[…x{100}\] in layer sha256:[0-9a-f]{64} \[docker.io\/library\/long:1\]$/,
      ),
    });
  });
});
