// Ranges of downloads and of chunks.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isImagesError } from '../oci/errors.ts';
import { parseChunkRange, parseRange, uploadRange } from './range.ts';

const between = (from: number, to: number) => ({ from, to });

describe('the Range of a download', () => {
  it.each([
    ['bytes=500-1499', { kind: 'part', from: 500, to: 1500 }],
    ['bytes=500-', { kind: 'part', from: 500, to: 2048 }],
    ['bytes=-500', { kind: 'part', from: 1548, to: 2048 }],
    ['bytes=-5000', { kind: 'part', from: 0, to: 2048 }],
    ['bytes=2000-5000', { kind: 'part', from: 2000, to: 2048 }],
    ['Bytes = 0-0', { kind: 'part', from: 0, to: 1 }],
    ['bytes=2048-', { kind: 'unsatisfiable' }],
    ['bytes=5000-10000', { kind: 'unsatisfiable' }],
    ['bytes=500-0', { kind: 'unsatisfiable' }],
    ['bytes=-0', { kind: 'unsatisfiable' }],
    ['bytes=0-1,3-4', { kind: 'parts', parts: [between(0, 2), between(3, 5)] }],
    ['bytes=100-199, ,0-9,-1,', { kind: 'parts', parts: [between(100, 200), between(0, 10), between(2047, 2048)] }],
    ['bytes=0-9,5-14', { kind: 'parts', parts: [between(0, 10), between(5, 15)] }],
    ['bytes=0-9,10-19', { kind: 'parts', parts: [between(0, 10), between(10, 20)] }],
    ['bytes=0-1,2048-', { kind: 'part', from: 0, to: 2 }],
    ['bytes=2048-,9-1,-0', { kind: 'unsatisfiable' }],
    ['bytes=0-,0-,0-', { kind: 'whole' }],
    ['bytes=0-1,x', { kind: 'whole' }],
    ['bytes=,', { kind: 'whole' }],
    ['bytes=-', { kind: 'whole' }],
    ['bytes=a-b', { kind: 'whole' }],
    ['items=0-1', { kind: 'whole' }],
    [undefined, { kind: 'whole' }],
  ])('may be %s of 2048 bytes', (header, expected) => {
    expect(parseRange(header, 2048)).toEqual(expected);
  });

  it('of more parts than a client can want is ignored', () => {
    const parts = Array.from({ length: 3000 }, (_, at) => `${2 * at}-${2 * at}`);
    expect(parseRange(`bytes=${parts.slice(0, 1024).join(',')}`, 10_000)).toMatchObject({ kind: 'parts' });
    expect(parseRange(`bytes=${parts.slice(0, 2048).join(',')}`, 10_000)).toMatchObject({ kind: 'parts' });
    expect(parseRange(`bytes=${parts.slice(0, 2049).join(',')}`, 10_000)).toEqual({ kind: 'whole' });
    expect(parseRange(`bytes=${parts.join(',')}`, 10_000)).toEqual({ kind: 'whole' });
  });

  it('of several parts never adds up to more than the content', () => {
    const part = fc.tuple(fc.option(fc.nat(3000)), fc.option(fc.nat(3000)));
    fc.assert(
      fc.property(fc.array(part, { minLength: 2 }), (parts) => {
        const range = parseRange(`bytes=${parts.map(([from, to]) => `${from ?? ''}-${to ?? ''}`).join(',')}`, 2048);
        if (range.kind !== 'parts') return true;
        const isWithin = range.parts.every(({ from, to }) => 0 <= from && from < to && to <= 2048);
        return isWithin && range.parts.reduce((sum, { from, to }) => sum + to - from, 0) <= 2048;
      }),
    );
  });

  it('of nothing is unsatisfiable', () => {
    expect(parseRange('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' });
    expect(parseRange('bytes=-1', 0)).toEqual({ kind: 'unsatisfiable' });
  });

  it('lies within the content, whatever is asked for', () => {
    fc.assert(
      fc.property(fc.nat(), fc.option(fc.nat()), fc.option(fc.bigInt({ min: 0n })), (size, first, last) => {
        const range = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, size);
        return range.kind !== 'part' || (0 <= range.from && range.from < range.to && range.to <= size);
      }),
    );
  });
});

describe('the Content-Range of a chunk', () => {
  it('may be written as the OCI specification or as HTTP has it', () => {
    expect(parseChunkRange('0-9')).toEqual({ from: 0, to: 10 });
    expect(parseChunkRange('bytes 10-19/*')).toEqual({ from: 10, to: 20 });
    expect(parseChunkRange(undefined)).toBeUndefined();
  });

  it.each(['', '9', '9-0', '-9', 'a-b', '0-9,10-19', `0-${'9'.repeat(30)}`])('[%s] is refused', (header) => {
    expect(() => parseChunkRange(header)).toThrow(expect.objectContaining({ code: 'RANGE_INVALID' }));
  });

  it('is parsed, or is an error with a code', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        try {
          const range = parseChunkRange(header);
          return range !== undefined && range.from <= range.to;
        } catch (error) {
          return isImagesError(error, 'RANGE_INVALID');
        }
      }),
    );
  });
});

it('the Range of an upload ends with the last byte received', () => {
  expect(uploadRange(10)).toBe('0-9');
  expect(uploadRange(0)).toBe('0-0');
});
