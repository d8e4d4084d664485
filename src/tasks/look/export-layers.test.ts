import { expect, it } from 'vitest';
import type { Layer } from '../../rootfs/contract.ts';
import { layerOf } from '../../rootfs/testing/layers.ts';
import { readTar } from '../../tar/reader.ts';
import { exportLayers } from './export-layers.ts';

const namesIn = async (archive: AsyncIterable<Uint8Array>) => {
  const names: string[] = [];
  for await (const { name } of readTar(archive)) names.push(name);
  return names;
};

const image = async () => ({
  layers: [
    await layerOf([{ name: 'a', content: 'a' }]),
    await layerOf([{ name: '.wh.a' }, { name: 'b' }], { gzip: true }),
    await layerOf([{ name: 'c' }]),
  ],
});

it('exporting layers gives the entries of the named layers, in the order in which they are named', async () => {
  expect(await namesIn(await exportLayers(await image(), ['3', '2']))).toEqual(['c', '.wh.a', 'b']);
});

it('exporting layers gives each layer once, however often it is named', async () => {
  const { layers } = await image();
  const id = layers[0]?.diffId?.slice('sha256:'.length) ?? '';
  expect(await namesIn(await exportLayers({ layers }, ['1', id, `sha256:${id}`]))).toEqual(['a']);
});

it('exporting a layer gives exactly its bytes', async () => {
  const { layers } = await image();
  const archive = Buffer.concat(await Array.fromAsync(await exportLayers({ layers }, ['1'])));
  expect(archive.subarray(0, 1024)).toEqual(Buffer.from(layers[0]?.archive.subarray(0, 1024) ?? []));
  expect(archive.subarray(1024)).toEqual(Buffer.alloc(1024));
});

it('exporting no layers gives an empty archive', async () => {
  expect(Buffer.concat(await Array.fromAsync(await exportLayers(await image(), [])))).toEqual(Buffer.alloc(1024));
});

it('exporting layers reads none if one of the names is wrong', async () => {
  const { layers } = await image();
  await expect(exportLayers({ layers }, ['1', 'zz'])).rejects.toMatchObject({ code: 'USAGE' });
  expect(layers.map(({ reads }) => reads.opened)).toEqual([0, 0, 0]);
});

it('exporting layers can be aborted while an index or a layer is read', async () => {
  const [layer] = (await image()).layers;
  if (!layer) throw new Error('no layer');
  const { signal } = new AbortController();
  const signals: unknown[] = [];
  const watched: Layer = {
    ...layer,
    open: (call) => {
      signals.push(call?.signal);
      return layer.open();
    },
  };
  expect(await namesIn(await exportLayers({ layers: [watched] }, ['1'], { signal }))).toEqual(['a']);
  expect(signals).toEqual([signal, signal]);
});
