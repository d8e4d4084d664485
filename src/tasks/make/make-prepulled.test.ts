import { readdir, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { buildImage, buildIndex, layerOf, randomLayer } from '../../../test/fixtures/image.ts';
import { blobFile } from '../../../test/fixtures/layout.ts';
import type { CopyEvent } from '../../copy/events.ts';
import { type MadeArchives, madeArchives } from '../testing/made-archives.ts';
import { makePrepulled } from './make-prepulled.ts';
import { checkPrepulled, listPrepulled } from './read-prepulled.ts';

const base = layerOf([{ name: 'etc/' }, { name: 'etc/motd', data: 'hello' }]);
const one = buildImage({ layers: [base] });
const two = buildImage({ layers: [base, layerOf([{ name: 'bin/' }, { name: 'bin/tool', data: 'tool' }])] });
const three = buildImage({ layers: [layerOf([{ name: 'three' }])] });
const IMAGES = { 'quay.io/a:1': one, 'quay.io/b:1': two, 'quay.io/c:1': three };
const INDEX = buildIndex([one, buildImage({ layers: [base], architecture: 'arm64' })]);

/** The names of all files, without those that are there from the beginning. */
async function left({ at, world }: MadeArchives): Promise<readonly string[]> {
  const names = [...(await readdir(world.path)), ...(await readdir(at('tmp')))];
  return names.filter((name) => !['layout', 'tmp', '.keep'].includes(name));
}

describe('a made file', () => {
  it.each(['tar', 'containerd', 'oci-archive', 'docker-archive', 'k3s'] as const)(
    'of the form %s has the images, whole',
    async (format) => {
      await using layout = await madeArchives(IMAGES);
      const made = await layout.make('out', ['quay.io/a:1', 'quay.io/b:1'], { format });
      expect(made).toMatchObject({ dryRun: false, layers: 2, taken: 0 });
      expect(made.images.flatMap(({ names }) => names).toSorted()).toEqual(['quay.io/a:1', 'quay.io/b:1']);
      const listed = await listPrepulled(layout.at('out'), layout.settings);
      expect(listed.map(({ names, layers }) => [names, layers])).toEqual([
        [['quay.io/a:1'], 1],
        [['quay.io/b:1'], 2],
      ]);
      const parts = await checkPrepulled(layout.at('out'), layout.settings, () => {});
      expect(parts.flatMap(({ problems }) => problems)).toEqual([]);
      expect(await left(layout)).toEqual(['out']);
    },
  );

  it.each(['tar', 'containerd', 'oci-archive', 'docker-archive', 'k3s'] as const)(
    'of the form %s is the same bytes for -',
    async (format) => {
      await using layout = await madeArchives(IMAGES);
      await layout.make('out', ['quay.io/a:1', 'quay.io/b:1'], { format });
      const sent: Uint8Array[] = [];
      const send = async (bytes: Uint8Array) => void sent.push(Buffer.from(bytes));
      const items = await layout.items('quay.io/a:1', 'quay.io/b:1');
      await makePrepulled(items, layout.settings, { format, path: '-', send });
      expect(Buffer.concat(sent).equals(await layout.bytes('out'))).toBe(true);
      expect(await left(layout)).toEqual(['out']);
    },
  );

  it('for k3s is compressed with zstd, and has one platform: its manifest is what names point to', async () => {
    await using layout = await madeArchives({ 'quay.io/a:1': INDEX });
    const made = await layout.make('out', ['quay.io/a:1'], { format: 'k3s' });
    expect((await layout.bytes('out')).subarray(0, 4).toString('hex')).toBe('28b52ffd');
    expect(made.images).toEqual([{ names: ['quay.io/a:1'], digest: one.manifest.digest }]);
    const listed = await listPrepulled(layout.at('out'), layout.settings);
    expect(listed).toMatchObject([{ names: ['quay.io/a:1'], digest: one.manifest.digest }]);
  });

  it('can be only planned; an index counts if the form keeps it', async () => {
    await using layout = await madeArchives({ 'quay.io/a:1': INDEX });
    for (const [format, digest] of [
      ['tar', one.manifest.digest],
      ['docker-archive', one.manifest.digest],
      ['oci-archive', INDEX.manifest.digest],
      ['containerd', INDEX.manifest.digest],
    ] as const) {
      expect(await layout.make('out', ['quay.io/a:1'], { format, dryRun: true })).toEqual({
        dryRun: true,
        images: [{ names: ['quay.io/a:1'], digest }],
        layers: 1,
        taken: 0,
        bytes: base.bytes.length,
      });
    }
    expect(await left(layout)).toEqual([]);
  });
});

describe('an update', () => {
  const update = true;

  it.each(['tar', 'containerd'] as const)(
    'of a %s copies the layers that are there, and gives the same bytes as a new file',
    async (format) => {
      await using layout = await madeArchives(IMAGES);
      await layout.make('out', ['quay.io/a:1', 'quay.io/c:1'], { format });
      await layout.make('fresh', ['quay.io/b:1', 'quay.io/c:1'], { format });
      const made = await layout.make('out', ['quay.io/b:1', 'quay.io/c:1'], { format, update });
      expect(made).toMatchObject({ layers: 3, taken: 2 });
      expect((await layout.bytes('out')).equals(await layout.bytes('fresh'))).toBe(true);
    },
  );

  it('of a store of containerd without blobs takes layers only for another one without', async () => {
    await using layout = await madeArchives(IMAGES);
    const format = 'containerd';
    await layout.make('out', ['quay.io/a:1'], { format, noLayers: true });
    await layout.make('fresh', ['quay.io/a:1'], { format, noLayers: true });
    expect(await layout.make('out', ['quay.io/a:1'], { format, noLayers: true, update })).toMatchObject({ taken: 1 });
    expect((await layout.bytes('out')).equals(await layout.bytes('fresh'))).toBe(true);
    expect(await layout.make('out', ['quay.io/a:1'], { format, update })).toMatchObject({ taken: 0 });
  });

  it('of a file that is not there makes it', async () => {
    await using layout = await madeArchives(IMAGES);
    expect(await layout.make('out', ['quay.io/a:1'], { format: 'tar', update })).toMatchObject({ layers: 1, taken: 0 });
  });

  it('of a file that is something else is refused, and the file stays', async () => {
    await using layout = await madeArchives(IMAGES);
    const text = 'no archive'.repeat(1000);
    await writeFile(layout.at('out'), text);
    await expect(layout.make('out', ['quay.io/a:1'], { format: 'tar', update })).rejects.toMatchObject({
      code: 'TAR_INVALID',
      message: expect.stringContaining(layout.at('out')),
      hint: expect.stringContaining('leave out --update'),
    });
    expect(String(await layout.bytes('out'))).toBe(text);
    expect(await left(layout)).toEqual(['out']);
  });

  it.each([
    ['squashfs', 'out', 'squashfs'],
    ['oci-archive', 'out', 'oci-archive'],
    ['tar', '-', '-'],
  ] as const)('of a %s in %s is refused before anything is opened', async (format, path, named) => {
    await using layout = await madeArchives({});
    const making = makePrepulled([], layout.settings, { format, path, update, send: async () => {} });
    await expect(making).rejects.toMatchObject({
      code: 'USAGE',
      message: `only a tar in a file can be updated [${named}]`,
    });
  });
});

describe('a file that cannot be made', () => {
  it.each(['tar', 'containerd', 'oci-archive', 'docker-archive', 'k3s'] as const)(
    'leaves nothing of a %s after a signal',
    async (format) => {
      await using layout = await madeArchives({ 'a:1': buildImage({ layers: [randomLayer('large', 1_000_000)] }) });
      const end = new AbortController();
      const settings = { ...layout.settings, signal: end.signal };
      const onEvent = ({ type }: CopyEvent) => type === 'progress' && end.abort(new Error('enough'));
      await expect(layout.make('out', ['a:1'], { format, onEvent }, settings)).rejects.toThrow('enough');
      expect(await left(layout)).toEqual([]);
    },
  );

  it.each(['tar', 'oci-archive'] as const)('keeps the old %s where a blob is damaged', async (format) => {
    await using layout = await madeArchives(IMAGES);
    await layout.make('out', ['quay.io/a:1'], { format });
    const before = await layout.bytes('out');
    const [, layer] = three.blobs;
    if (!layer) throw new Error('no layer');
    await writeFile(blobFile(layout.at('layout'), layer), Buffer.alloc(layer.bytes.length, 1));
    await expect(layout.make('out', ['quay.io/a:1', 'quay.io/c:1'], { format })).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
    });
    expect((await layout.bytes('out')).equals(before)).toBe(true);
    expect(await left(layout)).toEqual(['out']);
  });

  it.each(['relative', '/', '/a/../b', '/a b'])('for containerd has a root that is one [%s]', async (root) => {
    await using layout = await madeArchives(IMAGES);
    await expect(layout.make('out', ['quay.io/a:1'], { format: 'containerd', root })).rejects.toMatchObject({
      code: 'USAGE',
      message: `not the path of a directory of containerd [${root}]`,
    });
    await layout.make('out', ['quay.io/a:1'], { format: 'containerd', root: '/opt/containerd/' });
    expect(await listPrepulled(layout.at('out'), layout.settings)).toHaveLength(1);
  });

  it('is reported if a layer differs from its diffID, since a store has layers unpacked', async () => {
    const wrong = buildImage({ layers: [{ ...layerOf([{ name: 'x' }]), diffId: base.diffId }] });
    await using layout = await madeArchives({ 'wrong:1': wrong });
    await expect(layout.make('out', ['wrong:1'], { format: 'tar' })).rejects.toMatchObject({
      message: expect.stringContaining('diffID'),
    });
    expect(await left(layout)).toEqual([]);
  });

  it('because there is no directory for temporary files is reported with that directory', async () => {
    await using layout = await madeArchives(IMAGES);
    const settings = { ...layout.settings, temporaryDirectory: layout.at('nowhere') };
    const making = layout.make('-', ['quay.io/a:1'], { format: 'oci-archive', path: '-' }, settings);
    await expect(making).rejects.toMatchObject({ message: expect.stringContaining(layout.at('nowhere')) });
  });

  it('because its reader has gone leaves no temporary file', async () => {
    await using layout = await madeArchives(IMAGES);
    const send = async () => Promise.reject(new Error('gone'));
    const items = await layout.items('quay.io/a:1');
    const making = makePrepulled(items, layout.settings, { format: 'docker-archive', path: '-', send });
    await expect(making).rejects.toThrow('gone');
    expect(await left(layout)).toEqual([]);
  });
});
