import { describe, expect, it } from 'vitest';
import { ageOf, parseAge } from './age.ts';

const HOUR = 3600_000;

describe('an age', () => {
  it.each([
    ['0', 0],
    ['0d', 0],
    ['7d', 7 * 24 * HOUR],
    ['2w', 14 * 24 * HOUR],
    ['12h', 12 * HOUR],
    ['1d12h', 36 * HOUR],
    ['90m', 1.5 * HOUR],
    ['1h30s', HOUR + 30_000],
  ])('is a number with its unit: %s', (text, ms) => {
    expect(ageOf(text)).toBe(ms);
  });

  it.each(['', '7', 'd', '-1d', '1.5h', '1h1d', '1d1d', '7 d', '7D', '999999999999d', `${'9'.repeat(400)}w`, '1d\n'])(
    'is nothing else: %j',
    (text) => {
      expect(ageOf(text)).toBeUndefined();
      expect(() => parseAge(text, '--older-than')).toThrow(`not an age [--older-than=${text.trimEnd()}`);
    },
  );
});
