import { expect, it } from 'vitest';
import { type Observation, tellAll } from './observation.ts';

it('a listener that throws hides nothing from the others', () => {
  const seen: Observation[] = [];
  const tell = tellAll([
    (one) => seen.push(one),
    () => {
      throw new Error('full');
    },
    (one) => seen.push(one),
  ]);
  tell({ type: 'stopping' });
  expect(seen).toEqual([{ type: 'stopping' }, { type: 'stopping' }]);
});
