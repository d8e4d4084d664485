import { expect, it } from 'vitest';
import { growth, LINEAR } from '../../../test/testing/growth.ts';
import { hasInOrder } from './in-order.ts';

it.each([
  ['a b', true],
  ['xa xb x', true],
  ['b a', false],
  ['a', false],
  ['', false],
])('[%s] has a, then b: %s', (text, expected) => {
  expect(hasInOrder(text, [/a/, /b/])).toBe(expected);
});

it('what was found for one word is not found again for the next', () => {
  expect([hasInOrder('a', [/a/, /a/]), hasInOrder('aa', [/a/, /a/])]).toEqual([false, true]);
});

it('finding words in order takes time in proportion to the text', async () => {
  expect(
    await growth(
      50_000,
      (count) => 'a'.repeat(count),
      (text) => hasInOrder(text, [/a/, /b/]),
    ),
  ).toBeLessThan(LINEAR);
});
