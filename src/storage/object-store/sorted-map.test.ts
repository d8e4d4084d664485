import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SortedMap } from './sorted-map.ts';

const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', '-'), maxLength: 4 });

it('has the keys of a map, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.boolean())), key, (steps, prefix) => {
      const sorted = new SortedMap<number>();
      const plain = new Map<string, number>();
      for (const [at, [one, isSet]] of steps.entries()) {
        for (const map of [sorted, plain]) isSet ? map.set(one, at) : map.delete(one);
      }
      const below = [...plain.keys()].filter((one) => one.startsWith(prefix)).sort();
      expect(sorted.keysBelow(prefix)).toEqual(below);
      expect(sorted.hasBelow(prefix)).toBe(below.length > 0);
      expect([sorted.has(prefix), sorted.get(prefix)]).toEqual([plain.has(prefix), plain.get(prefix)]);
    }),
  );
});
