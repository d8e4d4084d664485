import { describe, expect, it } from 'vitest';
import { readTar } from '../tar/reader.ts';
import { applyLayers } from './apply-layers.ts';
import { exportTree } from './export-tree.ts';
import { indexLayers } from './layer-index.ts';
import { exported } from './testing/exported.ts';
import { layerOf } from './testing/layers.ts';

async function entriesOf(archive: Uint8Array): Promise<readonly string[]> {
  async function* bytes() {
    yield archive;
  }
  const lines: string[] = [];
  for await (const { name, type, linkname, body } of readTar(bytes())) {
    const content = Buffer.concat(await Array.fromAsync(body)).toString();
    lines.push(`${type} ${name}${linkname && ` → ${linkname}`}${content && ` = ${content.slice(0, 20)}`}`);
  }
  return lines;
}

/** Cuts bytes into portions; with `waits`, all that is ready goes before each. */
async function* portionsOf(bytes: Uint8Array, size: number, waits: boolean): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    if (waits) await new Promise(setImmediate);
    yield bytes.subarray(at, at + size);
  }
}

describe('an exported file system', () => {
  it('has each file once, from the layer that wins, and directories last', async () => {
    const archive = await exported(
      [{ name: './d/' }, { name: './d/a', content: 'old' }, { name: './d/b', content: 'b' }],
      [{ name: 'd/a', content: 'new' }, { name: 'l', linkname: 'd/a' }, { name: 'gone/' }],
      [{ name: '.wh.gone' }],
    );
    const lines = await entriesOf(archive);
    expect(lines.toSorted()).toEqual([
      'directory ./',
      'directory d/',
      'file d/a = new',
      'file d/b = b',
      'symlink l → d/a',
    ]);
    expect(lines.slice(-2)).toEqual(['directory ./', 'directory d/']);
  });

  it('gives a hard link the content if the name it was made from is another file now', async () => {
    const lines = await entriesOf(
      await exported(
        [
          { name: 'a', content: 'old' },
          { name: 'b', type: 'hardlink', linkname: 'a' },
          { name: 'c', type: 'hardlink', linkname: 'a' },
        ],
        [{ name: 'a', content: 'new' }],
      ),
    );
    expect(lines.slice(0, -1).toSorted()).toEqual(['file a = new', 'file b = old', 'hardlink c → b']);
    expect(lines.indexOf('file b = old')).toBeLessThan(lines.indexOf('hardlink c → b'));
  });

  it('is the same bytes each time if one layer has all files', async () => {
    const layer = [
      { name: 'x/y', content: 'z'.repeat(70_000) },
      { name: 'a', content: '1' },
    ];
    expect(Buffer.compare(await exported(layer), await exported(layer))).toBe(0);
  });

  it('is the same bytes each time, however fast its layers come and in whatever portions', async () => {
    const layers = ['a', 'b', 'c'].map((name, layer) =>
      Array.from({ length: 40 }, (_, at) => ({
        name: `${name}${at}`,
        content: Buffer.alloc(150_000 + layer * at * 5000, at),
      })),
    );
    const stack = await Promise.all(layers.map((entries) => layerOf(entries)));
    const quickly = stack.map((layer) => ({ ...layer, open: async () => portionsOf(layer.archive, 1 << 20, false) }));
    const tree = applyLayers(await indexLayers(quickly));
    const exportedWith = async (slow: number, portion: number): Promise<Uint8Array> => {
      const open = async (archive: Uint8Array, waits: boolean) => portionsOf(archive, portion, waits);
      const timed = stack.map((layer, at) => ({ ...layer, open: () => open(layer.archive, at === slow) }));
      return Buffer.concat(await Array.fromAsync(exportTree(tree, timed)));
    };
    const first = await exportedWith(0, 64 << 10);
    for (const [slow, portion] of [
      [1, 64 << 10],
      [2, 100_000],
      [0, 3 << 20],
    ] as const)
      expect(Buffer.compare(first, await exportedWith(slow, portion))).toBe(0);
  });
});
