// Streams from bytes in memory.
import { expect, it } from 'vitest';
import { wholeOf } from './bytes.ts';
import { joined } from './joined.ts';
import { oneChunk } from './one-chunk.ts';

it('gives its bytes as one chunk, to each of its readers', async () => {
  const bytes = Buffer.from('bytes');
  const stream = oneChunk(bytes);
  expect(await Array.fromAsync(stream)).toEqual([bytes]);
  expect(await Array.fromAsync(stream)).toEqual([bytes]);
});

it('gives no chunk if there are no bytes', async () => {
  expect(await Array.fromAsync(oneChunk(new Uint8Array()))).toEqual([]);
});

it('can be had without reading, in the same memory', async () => {
  const bytes = Buffer.from('bytes');
  expect(wholeOf(oneChunk(bytes))).toBe(bytes);
  expect(await joined(oneChunk(bytes))).toBe(bytes);
  expect(wholeOf((async function* () {})())).toBeUndefined();
});
