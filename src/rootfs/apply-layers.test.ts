import { describe, expect, it } from 'vitest';
import { applyLayers } from './apply-layers.ts';
import { indexLayers } from './layer-index.ts';
import { layerOf, type TestEntry } from './testing/layers.ts';
import { findPath, headerOf, type TreeNode, walk } from './tree.ts';

async function treeOf(...layers: readonly (readonly TestEntry[])[]) {
  return applyLayers(await indexLayers(await Promise.all(layers.map((entries) => layerOf(entries)))));
}

/** `path type [size or target] @layer`. */
async function listed(...layers: readonly (readonly TestEntry[])[]): Promise<readonly string[]> {
  const tree = await treeOf(...layers);
  return [...walk(tree.root)].slice(1).map(({ path, node }) => {
    const { type, size, linkname } = headerOf(node);
    const detail = type === 'file' ? ` ${size}` : linkname && ` ${linkname}`;
    return `${path} ${type}${detail} @${node.inode.layer}`;
  });
}

const file = (name: string, content = 'x'): TestEntry => ({ name, content });
const hardlink = (name: string, linkname: string): TestEntry => ({ name, linkname, type: 'hardlink' });

describe('a layer on another', () => {
  it('adds, and replaces what has the same path', async () => {
    expect(await listed([file('a'), file('b')], [file('b', 'more'), file('c')])).toEqual([
      'a file 1 @0',
      'b file 4 @1',
      'c file 1 @1',
    ]);
  });

  it('merges directories and describes them anew', async () => {
    const tree = await treeOf([{ name: 'd/', mode: 0o700 }, file('d/a')], [{ name: 'd/', mode: 0o1777 }, file('d/b')]);
    expect([...(findPath(tree, 'd')?.node.children?.keys() ?? [])]).toEqual(['a', 'b']);
    expect(headerOf(findPath(tree, 'd')?.node as never).mode).toBe(0o1777);
  });

  it('keeps the attributes of a directory that it has no entry for', async () => {
    const tree = await treeOf([{ name: 'd/', mode: 0o700 }], [file('d/b')]);
    expect(headerOf(findPath(tree, 'd')?.node as never).mode).toBe(0o700);
  });

  it('creates parents without an entry as directories of root', async () => {
    const tree = await treeOf([file('x/y/z')]);
    expect(headerOf(findPath(tree, 'x/y')?.node as never)).toMatchObject({ type: 'directory', mode: 0o755, uid: 0 });
  });

  it('deletes what a whiteout names, with all that is below', async () => {
    expect(await listed([file('d/a'), file('d/b/c'), file('e')], [file('d/.wh.b'), file('.wh.e')])).toEqual([
      'd directory @0',
      'd/a file 1 @0',
    ]);
  });

  it('hides only files of layers below, wherever the whiteout is in the archive', async () => {
    const after = await listed([file('d/a')], [file('d/b'), file('d/.wh..wh..opq'), file('.wh.e'), file('e')]);
    const before = await listed([file('d/a')], [file('d/.wh..wh..opq'), file('d/b'), file('e'), file('.wh.e')]);
    expect(after).toEqual(['d directory @0', 'd/b file 1 @1', 'e file 1 @1']);
    expect(before).toEqual(after);
  });

  it('has no whiteouts if the archive is not a layer', async () => {
    const indexes = await indexLayers([await layerOf([file('d/a'), file('d/.wh.a'), file('.wh..wh..opq')])]);
    const { root } = applyLayers(indexes, { noWhiteouts: true });
    expect([...walk(root)].map(({ path }) => path)).toEqual(['', '.wh..wh..opq', 'd', 'd/.wh.a', 'd/a']);
  });

  it('ignores whiteouts of missing files, and files that aufs left', async () => {
    expect(
      await listed([file('a')], [file('x/.wh.y'), file('.wh.b'), file('.wh..wh.plnk/1.2'), file('.wh..wh.aufs')]),
    ).toEqual(['a file 1 @0']);
  });

  it('turns a directory into a file and back, without the content of the first directory', async () => {
    expect(await listed([file('d/a')], [file('d')])).toEqual(['d file 1 @1']);
    expect(await listed([file('d/a')], [file('d')], [file('d/b')])).toEqual(['d directory @2', 'd/b file 1 @2']);
  });

  it('puts a directory in the place of a symbolic link of a layer below', async () => {
    expect(await listed([{ name: 'lib', linkname: 'usr/lib' }, file('usr/lib/a')], [file('lib/b')])).toEqual([
      'lib directory @1',
      'lib/b file 1 @1',
      'usr directory @0',
      'usr/lib directory @0',
      'usr/lib/a file 1 @0',
    ]);
  });
});

describe('within one layer', () => {
  it('the last entry of a path wins, whatever came before', async () => {
    expect(await listed([file('a', '1'), file('a', '22')])).toEqual(['a file 2 @0']);
    expect(await listed([file('d/x'), file('d')])).toEqual(['d file 1 @0']);
    expect(await listed([file('d'), { name: 'd/' }, file('d/x')])).toEqual(['d directory @0', 'd/x file 1 @0']);
  });

  it('names go through its own symbolic links, inside the root', async () => {
    expect(await listed([{ name: 'l', linkname: '/../../d' }, file('l/x')])).toEqual([
      'd directory @0',
      'd/x file 1 @0',
      'l symlink /../../d @0',
    ]);
  });

  it('links in a circle are refused', async () => {
    const circle = [{ name: 'a', linkname: 'b' }, { name: 'b', linkname: 'a' }, file('a/x')];
    await expect(listed(circle)).rejects.toMatchObject({ code: 'TAR_INVALID' });
  });

  it('names deeper than paths of Linux are refused, also if links lead there', async () => {
    const deep = (depth: number) => 'd/'.repeat(depth);
    const link = { name: 'l', linkname: deep(1500), type: 'symlink' } as const;
    await expect(listed([link, file(`l/${deep(1500)}x`)])).rejects.toMatchObject({
      code: 'TAR_INVALID',
      message: expect.stringContaining('directories deep'),
      hint: expect.stringContaining('images check'),
    });
    expect(await listed([link, file(`l/${deep(500)}x`)])).toHaveLength(2002);
  });

  it('names that climb out are refused, with the layer', async () => {
    await expect(listed([file('../x')])).rejects.toThrow(/climbs out of the root.*in layer sha256:/);
  });
});

describe('a layer that an image has twice', () => {
  it('is read once, and brings back what a layer between has deleted', async () => {
    const layer = await layerOf([file('a'), file('b')]);
    const tree = applyLayers(await indexLayers([layer, await layerOf([file('.wh.a')]), layer]));
    expect(layer.reads.opened).toBe(1);
    expect([findPath(tree, 'a')?.node.inode.layer, findPath(tree, 'b')?.node.inode.layer]).toEqual([2, 2]);
  });
});

describe('hard links', () => {
  it('share one inode, also with a file of a layer below', async () => {
    const tree = await treeOf([file('a')], [hardlink('b', 'a'), hardlink('d/c', './b')]);
    const inodes = ['a', 'b', 'd/c'].map((path) => findPath(tree, path)?.node.inode);
    expect(new Set(inodes).size).toBe(1);
    expect(inodes[0]?.links).toBe(3);
  });

  it('apply the attributes of their own headers to the file that they name', async () => {
    const link = (name: string, linkname: string, mode: number): TestEntry => ({
      ...hardlink(name, linkname),
      mode,
      uid: 3,
    });
    const tree = await treeOf([{ ...file('a'), mode: 0o600 }, link('b', 'a', 0o4755)], [link('c', 'b', 0o711)]);
    const header = headerOf(findPath(tree, 'a')?.node as TreeNode);
    expect(header).toMatchObject({ type: 'file', name: 'a', size: 1, mode: 0o711, uid: 3 });
  });

  it('keep their content when a later layer replaces or deletes the name they were made from', async () => {
    const replaced = await listed([file('a', 'old'), hardlink('b', 'a')], [file('a', 'newer')]);
    expect(replaced).toEqual(['a file 5 @1', 'b file 3 @0']);
    expect(await listed([file('a', 'old'), hardlink('b', 'a')], [file('.wh.a')])).toEqual(['b file 3 @0']);
  });

  it.each([
    ['to nothing', [hardlink('b', 'a')]],
    ['to a directory', [{ name: 'a/' }, hardlink('b', 'a')]],
    ['out of the root', [hardlink('b', '../../etc/passwd')]],
  ])('%s are refused', async (_, entries) => {
    await expect(listed(entries)).rejects.toMatchObject({ code: 'TAR_INVALID' });
  });
});
