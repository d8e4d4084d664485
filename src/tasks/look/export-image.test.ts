import { expect, it } from 'vitest';
import { LOOKED } from '../../../test/e2e/testing/looked.ts';
import { readTar } from '../../tar/reader.ts';
import { laidOut } from '../testing/laid-out-image.ts';
import { openImage, openTree } from '../transfer/tree-source.ts';
import { exportImage } from './export-image.ts';
import { exportLayers } from './export-layers.ts';

async function contentsOf(archive: AsyncIterable<Uint8Array>): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for await (const { name, body } of readTar(archive)) {
    files.set(name, Buffer.concat(await Array.fromAsync(body)).toString());
  }
  return files;
}

it('an exported image holds what a container sees, and nothing that was deleted', async () => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openTree({ image: layout.named('app') }, layout.settings);
  const files = await contentsOf(exportImage(image));
  expect(files.get('etc/passwd')).toBe('changed\n');
  expect(files.get('bin/tool')).toBe('tool');
  expect([...files.keys()].filter((name) => /gone|\.wh\./.test(name))).toEqual([]);
});

it('exported layers are those that were named, each once', async () => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  const base = await contentsOf(await exportLayers(image, ['1', '1']));
  expect(base.get('etc/passwd')).toBe('root\n');
  expect(base.get('etc/gone')).toHaveLength(1000);
  expect([...base.keys()].some((name) => name.startsWith('new/'))).toBe(false);
  await expect(exportLayers(image, ['1', '9'])).rejects.toMatchObject({ code: 'USAGE' });
});
