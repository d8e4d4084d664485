import { expect, it } from 'vitest';
import { LOOKED } from '../../../test/e2e/testing/looked.ts';
import { laidOut } from '../testing/laid-out-image.ts';
import { openImage } from '../transfer/tree-source.ts';
import { listImageFiles } from './list-files.ts';
import { listLayers } from './list-layers.ts';
import { layerId } from './select-layers.ts';

it('layers are listed as their archives have them, whiteouts too', async () => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  const [base, top, ...more] = await listLayers(image);
  expect(more).toEqual([]);
  expect(base?.names).toEqual(['bin/', 'bin/tool', 'etc/', 'etc/gone', 'etc/link', 'etc/passwd']);
  expect(top?.names).toEqual(['etc/.wh.gone', 'etc/passwd', 'new/', 'new/odd\u001b[31m\nname']);
  const [first] = image.layers;
  if (!first) throw new Error('the image has no layers');
  expect(base).toMatchObject({ id: layerId(first), digest: first.descriptor.digest, size: first.descriptor.size });
});

it('files are listed as a container sees them, with the layer of each', async () => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  const listed = async (path: string, options = {}) =>
    (await listImageFiles(image, path, options)).map((file) => `${file.layer} ${file.path}`);
  expect(await listed('etc')).toEqual(['0 etc/link', '1 etc/passwd']);
  expect(await listed('bin', { recursive: true })).toEqual(['0 bin/tool']);
  await expect(listed('etc/gone')).rejects.toMatchObject({ code: 'PATH_UNKNOWN' });
});

it('files of one layer are what it alone has', async () => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  const listed = async (path: string, layer: string) =>
    (await listImageFiles(image, path, { layer })).map((file) => `${file.layer} ${file.path}`);
  expect(await listed('etc', '1')).toEqual(['0 etc/gone', '0 etc/link', '0 etc/passwd']);
  expect(await listed('etc', '2')).toEqual(['1 etc/passwd']);
  await expect(listed('bin', '2')).rejects.toMatchObject({ code: 'PATH_UNKNOWN' });
  await expect(listed('etc', '3')).rejects.toMatchObject({ code: 'USAGE' });
});
