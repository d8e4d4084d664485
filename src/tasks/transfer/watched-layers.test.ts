import { expect, it } from 'vitest';
import type { CopyEvent } from '../../copy/events.ts';
import { readAll } from '../../copy/testing/images.ts';
import { layerOf } from '../../rootfs/testing/layers.ts';
import { plannedLayers, watchedLayers } from './watched-layers.ts';

const first = await layerOf([{ name: 'file', content: 'x'.repeat(1500) }]);
const second = await layerOf([{ name: 'file', content: 'x' }]);
const layers = [first, second];

it('reading a layer is reported, with its progress', async () => {
  const events: CopyEvent[] = [];
  const [watched] = watchedLayers(layers, (event) => events.push(event));
  const { digest, size } = first.descriptor;
  const body = await watched?.open();
  if (!body) throw new Error('no layer');
  expect(events).toEqual([{ type: 'blob', digest, size, from: 0 }]);
  expect((await readAll(body)).length).toBe(size);
  const steps = events.slice(1);
  expect(steps.length).toBeGreaterThan(1);
  expect(steps.map((event) => event.type === 'progress' && event.bytes).at(0)).toBe(1000);
  expect(steps.at(-1)).toEqual({ type: 'progress', digest, bytes: size });
});

it('without a plan, each layer that is opened adds to the total, once', async () => {
  const events: CopyEvent[] = [];
  const planned = plannedLayers(layers, (event) => events.push(event));
  for (const at of [0, 1, 0]) await planned[at]?.open();
  const [a, b] = [first.descriptor.size, second.descriptor.size];
  expect(events.filter(({ type }) => type === 'plan')).toEqual(
    [
      [1, a],
      [2, a + b],
      [2, a + b],
    ].map(([blobs, bytes]) => ({ type: 'plan', images: 1, blobs, bytes, alreadyThere: 0 })),
  );
  // The total comes first, so that it is never below what has been read.
  expect(events.map(({ type }) => type)).toEqual(['plan', 'blob', 'plan', 'blob', 'plan', 'blob']);
});

it('without a listener layers stay as they are', () => {
  expect(watchedLayers(layers, undefined)).toBe(layers);
  expect(plannedLayers(layers, undefined)).toBe(layers);
});
