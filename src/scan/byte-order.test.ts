import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anyText } from '../../test/testing/any-text.ts';
import { byBytes } from './byte-order.ts';

it('texts are ordered by their bytes in UTF-8', () => {
  expect(['\u{1f600}', '\uffee', 'z', 'Z', 'é'].sort(byBytes)).toEqual(['Z', 'z', 'é', '\uffee', '\u{1f600}']);
  const text = anyText();
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(byBytes(a, b)).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});
