import { expect, it } from 'vitest';
import { growth, LINEAR } from './growth.ts';

/** Runs this many steps, which the compiler cannot remove. */
function work(steps: number): number {
  let sum = 1;
  for (let step = 0; step < steps; step++) sum = (sum * 31 + step) | 0;
  return sum;
}

it('growth tells linear from quadratic cost, however short a run is', async () => {
  for (const count of [1000, 100_000]) expect(await growth(count, (size) => size, work)).toBeLessThan(LINEAR);
  for (const count of [200, 500]) {
    expect(
      await growth(
        count,
        (size) => size,
        (size) => work(size * size),
      ),
    ).toBeGreaterThan(LINEAR);
  }
});
