import { expect, it } from 'vitest';
import { disposables } from './disposables.ts';

function added() {
  const disposed: number[] = [];
  const all = disposables();
  for (const at of [1, 2]) all.add({ [Symbol.dispose]: () => void disposed.push(at) });
  return { all, disposed };
}

it('disposables are disposed of in the reverse order', () => {
  const { all, disposed } = added();
  all[Symbol.dispose]();
  expect(disposed).toEqual([2, 1]);
});

it('disposables that were handed over are disposed of by their new owner alone', () => {
  const { all, disposed } = added();
  const dispose = all.handOver();
  all[Symbol.dispose]();
  expect(disposed).toEqual([]);
  dispose();
  expect(disposed).toEqual([2, 1]);
});
