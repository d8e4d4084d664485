import { expect, it } from 'vitest';
import { LOOKED } from '../../../test/e2e/testing/looked.ts';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import { laidOut } from '../testing/laid-out-image.ts';
import { openTree } from '../transfer/tree-source.ts';
import { imageDifferences } from './image-differences.ts';

const image = (mode: number, data = 'same') => buildImage({ layers: [layerOf([{ name: 'file', data, mode }])] });

it('the differences of two images are theirs, with the aspects in which they differ', async () => {
  await using layout = await laidOut({ one: image(0o644), other: image(0o644, 'sane') });
  await using before = await openTree({ image: layout.named('one') }, layout.settings);
  await using after = await openTree({ image: layout.named('other') }, layout.settings);
  expect(await imageDifferences(before, after)).toMatchObject([
    { path: 'file', change: 'changed', aspects: ['content'] },
  ]);
});

it('a file that differs in ignored aspects alone does not differ', async () => {
  await using layout = await laidOut({ one: image(0o644), other: image(0o600), third: image(0o600, 'more') });
  await using before = await openTree({ image: layout.named('one') }, layout.settings);
  await using after = await openTree({ image: layout.named('other') }, layout.settings);
  await using third = await openTree({ image: layout.named('third') }, layout.settings);
  expect(await imageDifferences(before, after)).toMatchObject([{ aspects: ['mode'] }]);
  expect(await imageDifferences(before, after, { ignored: ['mode'] })).toEqual([]);
  expect(await imageDifferences(before, third, { ignored: ['mode'] })).toMatchObject([{ aspects: ['content'] }]);
});

it('added and removed files are differences, whatever is ignored', async () => {
  await using layout = await laidOut({ one: image(0o644), other: LOOKED });
  await using before = await openTree({ image: layout.named('one') }, layout.settings);
  await using after = await openTree({ image: layout.named('other') }, layout.settings);
  const all = await imageDifferences(before, after, { ignored: ['mode', 'content'] });
  expect(all.find(({ path }) => path === 'file')?.change).toBe('removed');
  expect(all.find(({ path }) => path === 'etc/passwd')?.change).toBe('added');
});
