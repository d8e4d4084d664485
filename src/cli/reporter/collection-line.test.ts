import { expect, it } from 'vitest';
import { leapLine } from '../../observe/leap-line.ts';
import { lineOfCollection } from './collection-line.ts';

it('a time that does not count is told by its days', () => {
  expect(leapLine({ from: '2026-11-30T12:00:00.000Z', to: '2029-12-01T00:00:00.000Z' })).toMatch(
    /^From 2026-11-30 to 2029-12-01 the store has seen nothing happen/,
  );
});

it.each([
  [{ type: 'reading', repository: 'a/b' } as const, 'Reading the manifests of a/b'],
  [{ type: 'looking', blobs: 3 } as const, '3 blobs looked at'],
  [{ type: 'deleting', blobs: 1, bytes: 2000 } as const, '2.0 kB freed in 1 blob'],
])('a step of a collection is one line: %j', (event, line) => {
  expect(lineOfCollection(event)).toBe(line);
});
