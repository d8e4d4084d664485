import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeIndex, encodeIndex } from './index-codec.ts';
import { cleanPath } from './path.ts';

const name = fc
  .array(fc.constantFrom('a', 'é', '\udcff', ' ', '.', 'x'), { minLength: 1, maxLength: 6 })
  .map((parts) => `n${parts.join('')}`);
const number = fc.integer({ min: 0, max: 2 ** 40 });
const entry = fc
  .record({
    name,
    type: fc.constantFrom('file' as const, 'directory' as const, 'symlink' as const, 'character' as const),
    size: number,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: number,
    gid: number,
    mtime: fc.record({ seconds: fc.integer(), nanoseconds: fc.integer({ min: 0, max: 999_999_999 }) }),
    linkname: fc.oneof(fc.constant(''), name),
    device: fc.record({ major: fc.nat(4095), minor: fc.nat(4095) }),
    xattrs: fc.array(fc.tuple(name, fc.uint8Array({ maxLength: 8 })), { maxLength: 2 }),
    position: fc.record({ head: number, body: number, end: number }),
    sparse: fc.option(fc.array(fc.record({ offset: number, length: number }), { maxLength: 3 }), { nil: undefined }),
  })
  .map(({ xattrs, sparse, ...rest }) => ({
    ...rest,
    path: cleanPath(rest.name),
    xattrs: new Map(xattrs.map(([key, value]) => [key, Buffer.from(value)])),
    ...(sparse && { sparse }),
  }));

describe('an index as bytes', () => {
  it('can be decoded to what it was, including names that are not UTF-8', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
        expect(decodeIndex(encodeIndex({ entries }))).toEqual({ entries });
      }),
    );
  });

  it('that is broken or of another format is ignored', () => {
    const bytes = encodeIndex({ entries: [] });
    expect(decodeIndex(bytes.subarray(0, bytes.length - 3))).toBeUndefined();
    expect(decodeIndex(Buffer.from('{}'))).toBeUndefined();
    expect(decodeIndex(new Uint8Array())).toBeUndefined();
  });
});
