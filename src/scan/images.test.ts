import { expect, it } from 'vitest';
import type { Finding } from './contract.ts';
import { imagesOf } from './images.ts';

const finding = (image: string, certainty: Finding['certainty']): Finding => ({
  image,
  certainty,
  rule: 'r',
  position: { file: 'f', line: 1, path: '' },
});

it('lists are unique and in byte order, as sort with LC_ALL=C has them', () => {
  const findings = ['b', 'a:2', 'a', 'B.io/x', 'a:10', 'b'].map((image) => finding(image, 'used'));
  expect(imagesOf({ findings, warnings: [] })).toEqual(['B.io/x', 'a', 'a:10', 'a:2', 'b']);
});

it('an image that is uncertain in one place and used in another is listed as used', () => {
  const findings = [finding('a', 'maybe'), finding('b', 'maybe'), finding('a', 'used')];
  expect(imagesOf({ findings, warnings: [] }, { maybe: true })).toEqual(['b']);
});
