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

it('what is found once is not found again', () => {
  expect([hasInOrder('a', [/a/, /a/]), hasInOrder('aa', [/a/, /a/])]).toEqual([false, true]);
});

it('takes a time that grows with the text', async () => {
  expect(
    await growth(
      50_000,
      (count) => 'a'.repeat(count),
      (text) => hasInOrder(text, [/a/, /b/]),
    ),
  ).toBeLessThan(LINEAR);
});
