import { expect, it } from 'vitest';
import type { Asker } from './contract.ts';
import { recentAskers } from './recent-askers.ts';

const at = (address: string): Asker => ({ via: 'password', user: 'anna', address });

it('an asker is known by address and header together, as long as the password is right', () => {
  const recent = recentAskers(10);
  const asker = at('10.0.0.1');
  let isRight = true;
  expect(recent.find('10.0.0.1', 'Basic a')).toBeUndefined();
  recent.add(asker, 'Basic a', () => isRight);
  expect(recent.find('10.0.0.1', 'Basic a')).toBe(asker);
  expect(recent.find('10.0.0.2', 'Basic a')).toBeUndefined();
  expect(recent.find('10.0.0.1', 'Basic b')).toBeUndefined();
  isRight = false;
  expect(recent.find('10.0.0.1', 'Basic a')).toBeUndefined();
  isRight = true;
  expect(recent.find('10.0.0.1', 'Basic a')).toBeUndefined();
});

it('only so many are remembered', () => {
  const recent = recentAskers(2);
  for (const one of ['1', '2', '3']) recent.add(at(one), 'Basic a', () => true);
  expect(['1', '2', '3'].map((address) => recent.find(address, 'Basic a') !== undefined)).toEqual([false, true, true]);
});
