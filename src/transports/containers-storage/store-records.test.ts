import { describe, expect, it } from 'vitest';
import type { StoreFiles } from './store-files.ts';
import { layersOf, readImages, readLayers } from './store-records.ts';

const hex = (digit: string) => digit.repeat(64);

/** A store whose records are these texts. */
function filesOf(records: Readonly<Record<string, string>>): StoreFiles {
  return {
    label: '/store',
    read: async (path) => (records[path] === undefined ? undefined : Buffer.from(records[path])),
    layerContent: async () => ({ open: () => [] }),
    async [Symbol.asyncDispose]() {},
  };
}

const images = (value: unknown) => readImages(filesOf({ 'overlay-images/images.json': JSON.stringify(value) }));
const layers = (value: unknown) => readLayers(filesOf({ 'overlay-layers/layers.json': JSON.stringify(value) }));

describe('the records of a store', () => {
  it('may lack optional fields, and may be missing altogether', async () => {
    expect(await images([{ id: hex('a'), names: null }])).toEqual([{ id: hex('a'), names: [], data: {} }]);
    expect([...(await layers([{ id: hex('b'), parent: '', 'diff-digest': 'odd' }])).values()]).toEqual([
      { id: hex('b') },
    ]);
    expect(await readImages(filesOf({}))).toEqual([]);
    expect((await readLayers(filesOf({ 'overlay-layers/layers.json': '' }))).size).toBe(0);
  });

  it.each(['../../etc', `${hex('a')}/..`, 'A'.repeat(64), '', 7])(
    'must have ids that are no paths, not %j',
    async (id) => {
      await expect(images([{ id }])).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
      await expect(layers([{ id }])).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    },
  );

  it('that are damaged are reported', async () => {
    const damaged = filesOf({ 'overlay-images/images.json': '[{' });
    await expect(readImages(damaged)).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
      message: expect.stringContaining('/store'),
    });
  });

  it('give an image’s layers from the base up; parents in a circle are no layers', async () => {
    const chain = await layers([
      { id: hex('a') },
      { id: hex('b'), parent: hex('a') },
      { id: hex('c'), parent: hex('d') },
      { id: hex('d'), parent: hex('c') },
    ]);
    const image = { id: hex('1'), names: [], data: {} };
    expect(layersOf({ ...image, layer: hex('b') }, chain).map(({ id }) => id)).toEqual([hex('a'), hex('b')]);
    expect(layersOf(image, chain)).toEqual([]);
    const circle = () => layersOf({ ...image, layer: hex('c') }, chain);
    expect(circle).toThrowError(expect.objectContaining({ code: 'MANIFEST_INVALID' }));
  });
});
