import { expect, it } from 'vitest';
import { blobOwners } from './blob-owners.ts';

it('a blob has no owner, one, or several', () => {
  const owners = blobOwners(2);
  expect(owners.hasNone(1)).toBe(true);
  owners.add(1, 7);
  owners.add(1, 7);
  expect([owners.hasNone(1), owners.isOnly(1, 7), owners.isOnly(1, 8)]).toEqual([false, true, false]);
  owners.add(1, 8);
  expect([owners.hasNone(1), owners.isOnly(1, 7), owners.isOnly(1, 8)]).toEqual([false, false, false]);
  expect(owners.hasNone(0)).toBe(true);
});
