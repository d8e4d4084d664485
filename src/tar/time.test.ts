import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareTimes, formatTime, parseTime, type TarTime, wholeSeconds } from './time.ts';

const anyTime: fc.Arbitrary<TarTime> = fc.record({
  seconds: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -(2 ** 45), max: 2 ** 45 })),
  nanoseconds: fc.oneof(fc.constantFrom(0, 1, 500_000_000, 999_999_999), fc.nat(999_999_999)),
});

/** In nanoseconds. */
const exactly = ({ seconds, nanoseconds }: TarTime): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);

describe('a time', () => {
  it.each([
    ['0', 0, 0],
    ['-0', 0, 0],
    ['1.5', 1, 500_000_000],
    ['1.', 1, 0],
    ['-1', -1, 0],
    ['-1.5', -2, 500_000_000],
    ['-0.000000001', -1, 999_999_999],
    ['1.1234567899', 1, 123_456_789],
    ['-1.1234567891', -2, 876_543_210],
    ['-0.0000000001', -1, 999_999_999],
  ])('%s is %i seconds and %i nanoseconds', (text, seconds, nanoseconds) => {
    expect(parseTime(text)).toEqual({ seconds, nanoseconds });
  });

  it.each(['', '.5', 'x', '1e3', '0x10', '1.5.5', '--1', ' 1', '99999999999999999999'])('is not %j', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });

  it('comes back from its text', () => {
    fc.assert(
      fc.property(anyTime, (time) => {
        expect(parseTime(formatTime(time))).toEqual(time);
      }),
    );
  });

  it('is compared to the nanosecond', () => {
    fc.assert(
      fc.property(anyTime, anyTime, (a, b) => {
        const difference = exactly(a) - exactly(b);
        expect(Math.sign(compareTimes(a, b))).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0);
      }),
    );
  });

  it('has no fraction where there is none', () => {
    expect(formatTime(wholeSeconds(-7))).toBe('-7');
    expect(formatTime({ seconds: -2, nanoseconds: 750_000_000 })).toBe('-1.25');
  });
});
