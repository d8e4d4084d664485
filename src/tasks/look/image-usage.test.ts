import { expect, it } from 'vitest';
import { BASE, LOOKED, TOP } from '../../../test/e2e/testing/looked.ts';
import { laidOut } from '../testing/laid-out-image.ts';
import { openImage } from '../transfer/tree-source.ts';
import { imageUsage } from './image-usage.ts';

it('the usage of an image adds up: layers, directories, and what is wasted by whom', async () => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  const usage = await imageUsage(image, { depth: 1 });
  expect(usage).toMatchObject({
    size: BASE.bytes.length + TOP.bytes.length,
    bytes: 4 + 1000 + 5 + 8 + 1,
    wasted: 1005,
    visible: { files: 4, bytes: 4 + 8 + 1 },
  });
  expect(usage.layers.map(({ at, bytes, wasted, instruction }) => [at, bytes, wasted, instruction])).toEqual([
    [1, 1009, 1005, 'ADD file:0123 in /'],
    [2, 9, 0, 'RUN adduser x'],
  ]);
  expect(usage.directories).toEqual([
    { path: 'etc', bytes: 8, files: 2 },
    { path: 'bin', bytes: 4, files: 1 },
    { path: 'new', bytes: 1, files: 1 },
  ]);
  expect(usage.wastedFiles).toEqual([
    { path: 'etc/gone', bytes: 1000, layer: 1, by: 2 },
    { path: 'etc/passwd', bytes: 5, layer: 1, by: 2 },
  ]);
});

it('directories are listed no deeper than is asked', async () => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  expect((await imageUsage(image, { depth: 0 })).directories).toEqual([]);
});
