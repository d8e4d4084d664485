// Sets of digests, held against a Map.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growth, LINEAR } from '../../test/testing/growth.ts';
import { type Digest, digestOf } from './digest.ts';
import { newDigestSet } from './digest-set.ts';

const numbered = (at: number, algorithm: 'sha256' | 'sha512' = 'sha256') => digestOf(Buffer.from(`${at}`), algorithm);

describe('a set of digests', () => {
  it('agrees with a Map, for both algorithms and whatever comes twice', () => {
    const some = fc.array(fc.tuple(fc.nat(40), fc.constantFrom('sha256', 'sha512'), fc.boolean()));
    fc.assert(
      fc.property(some, (steps) => {
        const set = newDigestSet();
        const model = new Map<Digest, number>();
        for (const [at, algorithm, isAdded] of steps) {
          const digest = numbered(at, algorithm as 'sha256');
          if (isAdded) {
            if (!model.has(digest)) model.set(digest, model.size);
            expect(set.add(digest)).toBe(model.get(digest));
          }
          expect(set.numberOf(digest)).toBe(model.get(digest));
          expect(set.has(digest)).toBe(model.has(digest));
          expect(set.size).toBe(model.size);
        }
      }),
    );
  });

  it('keeps what it has when it grows', () => {
    const set = newDigestSet();
    const digests = Array.from({ length: 5000 }, (_, at) => numbered(at, at % 100 === 99 ? 'sha512' : 'sha256'));
    expect(digests.map((digest) => set.add(digest))).toEqual(digests.map((_, at) => at));
    expect(digests.map((digest) => set.numberOf(digest))).toEqual(digests.map((_, at) => at));
    expect(set.has(numbered(5000))).toBe(false);
  });

  it('costs the same for digests that differ in their last digits only', async () => {
    const alike = (count: number) =>
      Array.from({ length: count }, (_, at): Digest => `sha256:${at.toString(16).padStart(64, '0')}`);
    const fill = (digests: readonly Digest[]) => {
      const set = newDigestSet();
      for (const digest of digests) set.add(digest);
    };
    expect(await growth(2000, alike, fill)).toBeLessThan(LINEAR);
  });
});
