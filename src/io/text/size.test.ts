import { expect, it } from 'vitest';
import { inBinaryUnits, parseSize } from './size.ts';

it.each([
  ['200 GiB', 200 * 2 ** 30],
  ['1.5TiB', 1.5 * 2 ** 40],
  ['500 mb', 500e6],
  ['17', 17],
  ['0', 0],
  [' 1 kB ', 1000],
  ['GiB', undefined],
  ['-1 GB', undefined],
  ['1 GiB more', undefined],
  ['1 constructor', undefined],
  ['999999999 TiB', undefined],
  ['', undefined],
])('the size [%s] is %s bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

it.each([
  [0, '0 bytes'],
  [1023, '1023 bytes'],
  [1024, '1 KiB'],
  [1536 * 2 ** 20, '1.5 GiB'],
  [200 * 2 ** 30, '200 GiB'],
  [2 ** 20 - 1, '1 MiB'],
])('%s bytes are written [%s]', (bytes, text) => {
  expect(inBinaryUnits(bytes)).toBe(text);
});
