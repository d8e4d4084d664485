import { expect, it } from 'vitest';
import { indexLayer } from './layer-index.ts';
import { layerOf } from './testing/layers.ts';
import { verifyLayer } from './verify-layer.ts';

it('verifying a layer refuses what its readers refuse', async () => {
  const layer = await layerOf([{ name: 'directory/'.repeat(500), content: '' }]);
  const refusal = { code: 'TAR_INVALID', message: expect.stringContaining('a name in a layer is too long [4999 ') };
  await expect(indexLayer(layer)).rejects.toMatchObject(refusal);
  await expect(verifyLayer(layer)).rejects.toMatchObject(refusal);
});

it('a layer is verified with one reading, which also gives its index', async () => {
  const layer = await layerOf([{ name: 'a/' }, { name: 'a/b', content: 'b' }], { gzip: true });
  const { compression, diffId, size, index } = await verifyLayer(layer);
  expect({ compression, diffId, size }).toEqual({
    compression: 'gzip',
    diffId: layer.diffId,
    size: layer.archive.length,
  });
  expect(layer.reads.opened).toBe(1);
  expect(index).toEqual(await indexLayer(layer));
});
