import { expect, it } from 'vitest';
import { lineOfKey } from './toml-lines.ts';

const TEXT = `# ours
quota = "1 GB"
"gc"  = "daily"

[[keep]]
images = "a"
newest = 1

[[ 'keep' ]] # the second
'images' = "b"

[server.limits]
open = 5
`;

it.each([
  ['a key', ['quota'], 2],
  ['a key in quotes', ['gc'], 3],
  ['a key of one of several tables', ['keep', 0, 'images'], 6],
  ['a key of another one, in other quotes', ['keep', 1, 'images'], 10],
  ['a table, for a key that it lacks', ['keep', 1, 'newest'], 9],
  ['one of several tables', ['keep', 1], 9],
  ['a name that is a table', ['keep'], 5],
  ['a key of a table in a table', ['server', 'limits', 'open'], 13],
])('%s is found', (_, path, line) => {
  expect(lineOfKey(TEXT, path)).toBe(line);
});

it('a list of tables in one line stands for them', () => {
  expect(lineOfKey('quota = "1"\nkeep = [{ images = "a" }]', ['keep', 0, 'images'])).toBe(2);
});

it('what is not there has no line', () => {
  expect(lineOfKey(TEXT, ['none'])).toBeUndefined();
  expect(lineOfKey(TEXT, ['keep', 2, 'images'])).toBeUndefined();
  expect(lineOfKey('', ['quota'])).toBeUndefined();
});
