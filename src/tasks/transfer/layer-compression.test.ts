import { expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { compressingSpool, parseCompression } from './layer-compression.ts';

it.each([
  ['gzip', { kind: 'gzip', level: 1 }],
  ['gzip:9', { kind: 'gzip', level: 9 }],
  ['zstd', { kind: 'zstd', level: 3 }],
  ['zstd:19', { kind: 'zstd', level: 19 }],
  ['none', { kind: 'none' }],
])('%s is a compression', (text, choice) => {
  expect(parseCompression(text)).toEqual(choice);
});

it.each(['', 'gzip:', 'gzip:0', 'gzip:10', 'zstd:20', 'zstd:100', 'none:1', 'GZIP', 'xz', 'gzip:6 '])(
  '[%s] is not a compression',
  (text) => {
    expect(() => parseCompression(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  },
);

it('uncompressed layers need no spool if they are to stay so', async () => {
  await using world = await temporaryWorld();
  expect(await compressingSpool(world.settings(), { kind: 'none' })).toBeUndefined();
  expect(await compressingSpool(world.settings())).toBeDefined();
});
