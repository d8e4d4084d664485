import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSameSecret, keyedHash, keyFor, tableKey } from './keyed-hash.ts';

it('a keyed hash is the HMAC-SHA256 of the parts, each after its length', () => {
  const key = new Uint8Array(32).fill(7);
  expect(keyedHash(key, ['ab', 'é'])).toBe(createHmac('sha256', key).update('2:ab2:é').digest('base64url'));
  expect(keyedHash(key, ['a', 'b'])).not.toBe(keyedHash(key, ['ab']));
});

it('a key of a table is another one for other parts, and with another secret', () => {
  const text = fc.string({ unit: fc.constantFrom(...'a1:é') });
  fc.assert(
    fc.property(fc.array(text), fc.array(text), (one, other) => {
      const isSame = JSON.stringify(one) === JSON.stringify(other);
      expect(tableKey('secret', one) === tableKey('secret', other)).toBe(isSame);
    }),
  );
  expect(tableKey('secret', ['a'])).not.toBe(tableKey('terces', ['a']));
});

it('a key for one use is none for another', () => {
  const key = new Uint8Array(32);
  expect(keyFor('one', key)).toHaveLength(32);
  expect(keyFor('one', key)).not.toEqual(keyFor('other', key));
});

it('secrets are the same if all of them is', () => {
  expect([isSameSecret('abc', 'abc'), isSameSecret('abc', 'abd'), isSameSecret('abc', 'ab')]).toEqual([
    true,
    false,
    false,
  ]);
});
