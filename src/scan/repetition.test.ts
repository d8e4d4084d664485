import { describe, expect, it } from 'vitest';
import { uniqueWarnings } from './repetition.ts';

describe('warnings', () => {
  it('with the same text are told once a file', () => {
    const of = (file: string, line: number) => ({ file, line, text: 'x' });
    expect(uniqueWarnings([of('a', 1), of('a', 2), of('b', 3)])).toEqual([of('a', 1), of('b', 3)]);
  });

  it('of a file with many are shortened, and say so', () => {
    const many = Array.from({ length: 12 }, (_, line) => ({ file: 'a', line, text: `x${line}` }));
    expect(uniqueWarnings(many).map(({ text }) => text)).toEqual([
      'x0',
      'x1',
      'x2',
      'x3',
      'x4 (and 7 more of this file)',
    ]);
  });
});
