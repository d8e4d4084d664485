import { expect, it } from 'vitest';
import { attemptDelays, attemptKey } from './attempt-delays.ts';

it('of many keys the one that failed longest ago is forgotten first', () => {
  const delays = attemptDelays({ longest: 1000, now: () => 0, keys: 3 });
  for (const key of ['a', 'b', 'c', 'a', 'd']) delays.failed(key);
  expect(['a', 'b', 'c', 'd'].map((key) => delays.count(key))).toEqual([2, 0, 1, 1]);
});

it('a delay is never longer than the longest, however many attempts there were', () => {
  const delays = attemptDelays({ longest: 10_000, now: () => 0 });
  for (let at = 0; at < 5000; at++) delays.failed('a');
  expect(delays.wait('a')).toBe(10_000);
});

it.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::1', '0:0:0:0'],
  ['fd00:1:2:3:4:5:6:7', 'fd00:1:2:3'],
  ['FD00:1::7', 'fd00:1:0:0'],
  ['fd00:1:2:3:4::', 'fd00:1:2:3'],
  ['::', '0:0:0:0'],
  ['', ''],
])('an address [%s] counts as [%s]', (address, key) => {
  expect(attemptKey(address)).toBe(key);
});
