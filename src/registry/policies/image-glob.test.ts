import fc from 'fast-check';
import { expect, it } from 'vitest';
import { growth, LINEAR } from '../../../test/testing/growth.ts';
import { bySpecificity, matchesGlob, matchesImage, parseImageGlob } from './image-glob.ts';

const globOf = (text: string) => parseImageGlob(text) ?? expect.fail(`no pattern [${text}]`);

it.each([
  ['ci/*', 'ci/app', 'v1', true],
  ['ci/*', 'ci/app/web', 'v1', false],
  ['ci/**', 'ci/app/web', 'v1', true],
  ['**', 'ci/app', 'v1', true],
  ['**:v*', 'ci/app', 'v1', true],
  ['**:v*', 'ci/app', 'latest', false],
  ['**:v?', 'ci/app', 'v12', false],
  ['alpine', 'library/alpine', '3', true],
  ['library/alpine', 'alpine', '3', true],
  ['alpine', 'other/alpine', '3', false],
  ['quay.io/**', 'quay.io/x/y', '3', true],
  ['*', 'library/alpine', '3', true],
])('[%s] and %s:%s: %s', (glob, repository, tag, expected) => {
  expect(matchesImage(globOf(glob), repository, tag)).toBe(expected);
});

it.each(['', 'UPPER', 'a:b:c', 'a:', 'a b', 'a@sha256:12', '/a', 'a/', 'a//b', '../a', '/**', ':v1'])(
  '[%s] is not a pattern',
  (text) => {
    expect(parseImageGlob(text)).toBeUndefined();
  },
);

it('the pattern with more literal characters is the more specific one; the repository counts first', () => {
  const order = ['ci/app', 'ci/ap?', 'ci/*:v*', 'ci/*', 'ci/**', '*:latest', '**'];
  expect([...order].reverse().sort((a, b) => bySpecificity(globOf(a), globOf(b)))).toEqual(order);
});

it('a pattern matches as the equivalent regular expression does', () => {
  const text = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 8 });
  fc.assert(
    fc.property(text('ab/*?'), text('ab/'), (glob, name) => {
      const source = glob.replace(/\*\*|\*|\?/g, (step) => ({ '**': '.*', '*': '[^/]*' })[step] ?? '[^/]');
      expect(matchesGlob(glob, name)).toBe(new RegExp(`^(?:${source})$`).test(name));
    }),
    { numRuns: 1000 },
  );
});

it('matching takes time in proportion to the text', async () => {
  expect(
    await growth(
      2000,
      (count) => 'a'.repeat(count),
      (text) => matchesGlob('*a'.repeat(20), `${text}b`),
    ),
  ).toBeLessThan(LINEAR);
});
