import { describe, expect, it } from 'vitest';
import { fileContent } from './file-content.ts';
import { findInLayers } from './find-file.ts';
import { layerOf, type TestEntry } from './testing/layers.ts';

async function stack(...layers: readonly (readonly TestEntry[])[]) {
  return await Promise.all(layers.map((entries) => layerOf(entries, { gzip: true })));
}

const base = [
  { name: 'etc/' },
  { name: 'etc/passwd', content: 'root' },
  { name: 'usr/lib/os-release', content: 'base' },
  { name: 'etc/os-release', linkname: '../usr/lib/os-release' },
];

describe('a file', () => {
  it('of the top layer is found without reading those below', async () => {
    const layers = await stack(base, [{ name: 'etc/passwd', content: 'root and me' }]);
    const found = await findInLayers(layers, 'etc/passwd');
    expect(found?.node.inode.entry?.size).toBe(11);
    expect(layers.map(({ reads }) => reads.opened)).toEqual([0, 1]);
  });

  it('of the base is found below layers that do not touch it, through links of any layer', async () => {
    const layers = await stack(base, [{ name: 'x' }], [{ name: 'release', linkname: '/etc/os-release' }]);
    const found = await findInLayers(layers, 'release', { follow: true });
    expect(found?.path).toBe('usr/lib/os-release');
    expect(layers.map(({ reads }) => reads.opened)).toEqual([1, 1, 1]);
  });

  it.each([
    ['a whiteout', [{ name: 'etc/.wh.passwd' }]],
    ['an opaque directory', [{ name: 'etc/' }, { name: 'etc/.wh..wh..opq' }]],
    ['a whiteout of its directory', [{ name: '.wh.etc' }]],
    ['a file in the place of its directory', [{ name: 'etc', content: 'x' }]],
  ])('that %s hides is not there, and layers below are not asked', async (_, upper) => {
    const layers = await stack(base, upper);
    expect(await findInLayers(layers, 'etc/passwd')).toBeUndefined();
    expect(layers.map(({ reads }) => reads.opened)).toEqual([0, 1]);
  });

  it('is found below a layer that only describes its directory anew', async () => {
    const layers = await stack(base, [{ name: 'etc/', mode: 0o700 }]);
    expect((await findInLayers(layers, 'etc/passwd'))?.node.inode.layer).toBe(0);
  });

  it('has the content of the file below that it is a hard link to', async () => {
    const layers = await stack(base, [{ name: 'copy', type: 'hardlink', linkname: 'etc/passwd' }]);
    const { entry, layer } = (await findInLayers(layers, 'copy'))?.node.inode ?? {};
    expect(layer).toBe(0);
    const bytes = await Array.fromAsync(fileContent(layers[0] as never, entry as never));
    expect(Buffer.concat(bytes).toString()).toBe('root');
  });

  it('is found without reading the layer beyond it', async () => {
    const big = 'y'.repeat(100_000);
    const [layer] = [
      await layerOf([
        { name: 'a', content: 'first' },
        { name: 'b', content: big },
      ]),
    ];
    const found = await findInLayers([layer], 'a');
    const before = layer.reads.bytes;
    const bytes = await Array.fromAsync(fileContent(layer, found?.node.inode.entry as never));
    expect(Buffer.concat(bytes).toString()).toBe('first');
    expect(layer.reads.bytes - before).toBeLessThan(3000);
  });

  it('with holes has zeros there', async () => {
    const content = `${'a'.repeat(512)}def`;
    const sparse = [
      { offset: 1024, length: 512 },
      { offset: 4096, length: 3 },
    ];
    const layer = await layerOf([{ name: 'holes', content, size: 6000, sparse }]);
    const found = await findInLayers([layer], 'holes');
    const bytes = Buffer.concat(await Array.fromAsync(fileContent(layer, found?.node.inode.entry as never)));
    const expected = Buffer.alloc(6000);
    expected.fill('a', 1024, 1536).write('def', 4096);
    expect(bytes.equals(expected)).toBe(true);
  });
});
