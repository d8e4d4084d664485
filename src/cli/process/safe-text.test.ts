import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyText } from '../../../test/testing/any-text.ts';
import { safeJson, safeLine, safeOutput, safeText } from './safe-text.ts';

const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

describe('text of others', () => {
  it('loses control characters and characters that reverse a line, and nothing else', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(safeText(text).replaceAll(/[\n\t]/g, '')).not.toMatch(UNSAFE);
        expect(safeLine(text)).not.toContain('\n');
        expect(safeText(text)).toHaveLength(text.length);
        expect(safeOutput(text).replaceAll(/\x1b\[[0-9;]*m|[\n\t\r]/g, '')).not.toMatch(UNSAFE);
      }),
    );
    expect(safeText('Café 日本 👩‍💻 שלום\tx\n')).toBe('Café 日本 👩‍💻 שלום\tx\n');
    expect(safeText('a\u202eb\u001b[2J\u2066')).toBe('a?b?[2J?');
  });

  it('keeps colours in the output of programs', () => {
    expect(safeOutput('\u001b[31mred\u001b[0m\u001b[2J\u0007 50%\r')).toBe('\u001b[31mred\u001b[0m[2J 50%\r');
  });

  it('stays the same value in JSON', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        const json = safeJson(JSON.stringify({ text }));
        expect(JSON.parse(json)).toEqual({ text });
        expect(json).not.toMatch(UNSAFE);
      }),
    );
  });
});
