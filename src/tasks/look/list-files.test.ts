import { describe, expect, it } from 'vitest';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import { indexLayer, indexLayers } from '../../rootfs/layer-index.ts';
import { layerOf, type TestEntry } from '../../rootfs/testing/layers.ts';
import type { RootTree } from '../../rootfs/tree.ts';
import { flatNames, layerTree, listPath, requirePath } from './list-files.ts';

async function treeOf(...layers: readonly (readonly TestEntry[])[]): Promise<RootTree> {
  return applyLayers(await indexLayers(await Promise.all(layers.map((entries) => layerOf(entries)))));
}

const BASE = [
  { name: 'etc/' },
  { name: 'etc/b', content: 'b' },
  { name: 'etc/a/' },
  { name: 'etc/a/deep', content: '12' },
  { name: 'etc/gone' },
  { name: 'etc-release' },
  { name: 'link', linkname: 'etc' },
];
const TOP = [{ name: 'etc/.wh.gone' }, { name: 'etc/b', content: 'four' }];

describe('the names in an image', () => {
  it('are in the order of their bytes, as `tar t` and `sort` have them; directories end in a slash', async () => {
    expect(flatNames(await treeOf(BASE, TOP))).toEqual([
      'etc-release',
      'etc/',
      'etc/a/',
      'etc/a/deep',
      'etc/b',
      'link',
    ]);
  });

  it('keep their bytes, whatever they are', async () => {
    const names = ['B', 'a', 'ä', '\u{1f600}'];
    expect(flatNames(await treeOf([...names].reverse().map((name) => ({ name }))))).toHaveLength(4);
    expect(flatNames(await treeOf([{ name: 'a' }, { name: 'B' }]))).toEqual(['B', 'a']);
  });

  it('are an empty list for an image without layers', async () => {
    expect(flatNames(await treeOf())).toEqual([]);
  });
});

describe('listing a path', () => {
  it.each([['etc'], ['/etc'], ['./etc'], ['link/'], ['etc/a/..']])(
    'of a directory gives its entries, sorted, with the layer that each is of: %s',
    async (path) => {
      const files = listPath(await treeOf(BASE, TOP), path);
      expect(files.map((file) => [file.path, file.header.size, file.layer])).toEqual([
        ['etc/a', 0, 0],
        ['etc/b', 4, 1],
      ]);
    },
  );

  it('of the root gives what is at the top', async () => {
    const files = listPath(await treeOf(BASE, TOP), '/');
    expect(files.map(({ path }) => path)).toEqual(['etc', 'etc-release', 'link']);
  });

  it('gives everything below a directory, without the directory itself, where that is wanted', async () => {
    const files = listPath(await treeOf(BASE, TOP), 'etc', { recursive: true });
    expect(files.map(({ path }) => path)).toEqual(['etc/a', 'etc/a/deep', 'etc/b']);
  });

  it('of a file gives the file, recursive or not; of a link without a slash gives the link', async () => {
    const tree = await treeOf(BASE, TOP);
    for (const recursive of [false, true]) {
      expect(listPath(tree, 'etc/b', { recursive })).toEqual([
        { path: 'etc/b', header: expect.objectContaining({ type: 'file', size: 4 }), layer: 1 },
      ]);
    }
    expect(listPath(tree, 'link')).toEqual([
      { path: 'link', header: expect.objectContaining({ type: 'symlink', linkname: 'etc' }), layer: 0 },
    ]);
  });

  it('of an empty directory gives nothing', async () => {
    expect(listPath(await treeOf([{ name: 'empty/' }]), 'empty')).toEqual([]);
  });

  it.each([['etc/gone'], ['never'], ['etc/b/below'], ['etc\u001b[31m']])(
    'that is not there is named: %j',
    async (path) => {
      const tree = await treeOf(BASE, TOP);
      const error = { code: 'PATH_UNKNOWN', message: expect.stringContaining('no such file in the image [') };
      expect(() => listPath(tree, path)).toThrow(expect.objectContaining(error));
      expect(() => requirePath(tree, path, { follow: true })).toThrow(expect.not.stringContaining('\u001b'));
    },
  );
});

it('the tree of one layer has its own files alone; a hard link to a lower layer stays one', async () => {
  const index = await indexLayer(await layerOf([...TOP, { name: 'hard', type: 'hardlink', linkname: 'etc-release' }]));
  expect(flatNames(layerTree(index))).toEqual(['etc/', 'etc/b', 'hard']);
  const [hard] = listPath(layerTree(index), 'hard');
  expect(hard?.header).toMatchObject({ type: 'hardlink', linkname: 'etc-release' });
});
