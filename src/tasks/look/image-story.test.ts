import { expect, it } from 'vitest';
import { BASE, LOOKED, TOP } from '../../../test/e2e/testing/looked.ts';
import { laidOut } from '../testing/laid-out-image.ts';
import { openImage } from '../transfer/tree-source.ts';
import { imageStory } from './image-story.ts';

it('the story of a path names the layer and the instruction of each change', async () => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  const [base, top] = [BASE, TOP].map(({ diffId }) => diffId.slice('sha256:'.length));
  expect(await imageStory(image, '/etc/passwd')).toMatchObject({
    path: 'etc/passwd',
    events: [
      { change: 'written', at: 1, layer: base, instruction: 'ADD file:0123 in /', header: { size: 5 } },
      { change: 'rewritten', at: 2, layer: top, instruction: 'RUN adduser x', header: { size: 8 } },
    ],
  });
  expect((await imageStory(image, 'etc/gone')).events.map(({ change, at }) => [change, at])).toEqual([
    ['written', 1],
    ['deleted', 2],
  ]);
});

it('a path that no layer ever had is PATH_UNKNOWN', async () => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  await expect(imageStory(image, 'never')).rejects.toMatchObject({ code: 'PATH_UNKNOWN' });
});

it('an aborted call gives no story', async () => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  await expect(imageStory(image, 'etc/gone', { signal: AbortSignal.abort() })).rejects.toThrow();
});
