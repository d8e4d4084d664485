// Documents whose decoding could take long: the answer is the same, and quick.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { array, object, parseJson, string } from './decode.ts';

const nested = (depth: number) => Buffer.from(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`);

describe('JSON', () => {
  it('is what JSON.parse says', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 20 }), (text) => {
        expect(parseJson(Buffer.from(text), 'it')).toEqual(JSON.parse(text));
      }),
    );
  });

  it('has no byte order mark before it', () => {
    expect(() => parseJson(Buffer.from('\uFEFF{}'), 'it')).toThrow('it is not JSON: it begins with a byte order mark');
    expect(parseJson(Buffer.from('"\uFEFF"'), 'it')).toBe('\uFEFF');
  });

  it('that is nested deeply is refused, before it is parsed', () => {
    expect(() => parseJson(nested(500), 'it')).not.toThrow();
    for (const depth of [1001, 100_000, 2_000_000]) {
      expect(() => parseJson(nested(depth), 'it')).toThrow('it is nested in more than 1000 levels');
    }
  });

  it('may have any number of brackets in texts, and side by side', () => {
    const text = JSON.stringify({
      a: '['.repeat(5000),
      'b\\': '"{\\'.repeat(5000),
      c: Array.from({ length: 5000 }, () => [{}]),
    });
    expect(parseJson(Buffer.from(text), 'it')).toEqual(JSON.parse(text));
  });
});

it('an error about a value of the wrong type quotes it in short, however long it is', () => {
  expect(() =>
    object(
      Array.from({ length: 1e6 }, () => []),
      'a.b',
    ),
  ).toThrow('a.b is not an object [a list]');
  expect(() => array({ x: 1 }, 'a.b')).toThrow('a.b is not an array [an object]');
  expect(() => array('x'.repeat(1e6), 'a.b')).toThrow(`a.b is not an array ["${'x'.repeat(40)}"]`);
  expect(() => string(undefined, 'a')).toThrow('a is not a string [nothing]');
  expect(() => string(null, 'a')).toThrow('a is not a string [null]');
  expect(() => string(7, 'a')).toThrow('a is not a string [7]');
  expect(() => string([], 'a')).toThrow('a is not a string [[]]');
});
