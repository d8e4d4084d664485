import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyText } from '../../../test/testing/any-text.ts';
import { quote } from './quote.ts';

describe('text of others in a message', () => {
  it('becomes one line of bounded length, without control characters', () => {
    fc.assert(
      fc.property(anyText({ maxLength: 2000 }), (text) => {
        const line = quote(text, 100);
        expect(line.length).toBeLessThanOrEqual(100);
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it('stays as it is if it is harmless', () => {
    expect(quote('requested access to the resource is denied')).toBe('requested access to the resource is denied');
    expect(quote('a\r\n\tb\u202e c')).toBe('a b c');
  });
});
