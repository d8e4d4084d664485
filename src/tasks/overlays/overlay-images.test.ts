import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeOverlay } from '../../../test/fixtures/overlay.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { overlayImages } from './overlay-images.ts';

const pod = (image: string) => `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: ${image}\n`;
const thing = (image: string) => `apiVersion: example.com/v1\nkind: Thing\nspec:\n  word: ${image}\n`;
const chart = (tag: string) => ({
  'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
  'values.yaml': `tag: "${tag}"\n`,
  'templates/pod.yaml': pod('quay.io/a/chart:{{ .Values.tag }}'),
});

describe('the images of overlays', () => {
  it('are those of all items, each once, in the order of their bytes', async () => {
    await using world = await temporaryWorld();
    const one = await writeOverlay(join(world.path, 'one'), ['a:1', 'a/b:1']);
    const two = await writeOverlay(join(world.path, 'two'), ['a-b:1', 'a:1']);
    const file = await world.file('pod.yaml', pod('c:1'));
    const { images, maybe, warnings } = await overlayImages({ items: [two, one, file, one] }, world.settings());
    expect([images, maybe, warnings]).toEqual([['a-b:1', 'a/b:1', 'a:1', 'c:1'], [], []]);
  });

  it('have positions with paths that can be opened from here', async () => {
    await using world = await temporaryWorld();
    const one = await writeOverlay(join(world.path, 'one'), ['a:1']);
    const file = await world.file('pod.yaml', pod('b:1'));
    const { findings } = await overlayImages({ items: [one, file] }, world.settings());
    expect(findings.map(({ image, position }) => [image, position.file])).toEqual([
      ['a:1', join(one, 'default/etc/kubernetes/app-1.yaml')],
      ['b:1', file],
    ]);
  });

  it('in a file that cannot be read cause a warning that names the file', async () => {
    await using world = await temporaryWorld();
    const broken = await world.file('one/broken.yaml', 'kind: Pod\nspec: [\n');
    const { images, warnings } = await overlayImages({ items: [join(world.path, 'one')] }, world.settings());
    expect([images, warnings.map(({ file }) => file)]).toEqual([[], [broken]]);
  });

  it('that are uncertain are listed with the reason, unless another item uses them', async () => {
    await using world = await temporaryWorld();
    const items = [
      await world.file('thing.yaml', thing('127.0.0.1:5000/a/maybe:1')),
      await world.file('other.yaml', thing('127.0.0.1:5000/a/used:1')),
      await world.file('pod.yaml', pod('127.0.0.1:5000/a/used:1')),
    ];
    const { images, maybe } = await overlayImages({ items }, world.settings());
    expect([images, maybe]).toEqual([
      ['127.0.0.1:5000/a/used:1'],
      [
        {
          image: '127.0.0.1:5000/a/maybe:1',
          reason: 'it reads like a reference, but nothing around it speaks of images',
        },
      ],
    ]);
  });

  it('are read from the input where an item is `-`; without an input that is empty', async () => {
    await using world = await temporaryWorld();
    const input = oneChunk(Buffer.from('b:1\na:1\n'));
    expect((await overlayImages({ items: ['-', '-'], input }, world.settings())).images).toEqual(['a:1', 'b:1']);
    expect((await overlayImages({ items: ['-'] }, world.settings())).images).toEqual([]);
  });

  it('of no items are an empty list; an unknown item is named in the error', async () => {
    await using world = await temporaryWorld();
    expect(await overlayImages({ items: [] }, world.settings())).toEqual({
      images: [],
      maybe: [],
      findings: [],
      warnings: [],
    });
    await expect(overlayImages({ items: ['nowhere'] }, world.settings())).rejects.toMatchObject({
      code: 'OVERLAY_UNKNOWN',
      message: expect.stringContaining('[nowhere]'),
    });
  });
});

describe('values for charts', () => {
  const values = { files: [], set: ['tag=2'], setString: [] };

  it('are used for all charts among the items', async () => {
    await using world = await temporaryWorld();
    for (const [name, text] of Object.entries(chart('1'))) await world.file(`chart/${name}`, text);
    const items = [join(world.path, 'chart')];
    expect((await overlayImages({ items }, world.settings())).images).toEqual(['quay.io/a/chart:1']);
    const set = await overlayImages({ items, chartValues: values }, world.settings());
    expect(set.images).toEqual(['quay.io/a/chart:2']);
  });

  it('are an error where no item is a chart', async () => {
    await using world = await temporaryWorld();
    const file = await world.file('pod.yaml', pod('a:1'));
    const look = overlayImages({ items: [file], chartValues: values }, world.settings());
    await expect(look).rejects.toMatchObject({ code: 'USAGE' });
  });
});

it('each item is scanned within `whileComputing` of the caller', async () => {
  await using world = await temporaryWorld();
  const items = [await world.file('a.yaml', pod('a:1')), await world.file('b.yaml', pod('b:1'))];
  let computed = 0;
  const whileComputing = <T>(run: () => Promise<T>): Promise<T> => {
    computed++;
    return run();
  };
  const { images } = await overlayImages({ items }, world.settings({}, { whileComputing }));
  expect([images, computed]).toEqual([['a:1', 'b:1'], 2]);
});
