import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyText } from '../../test/testing/any-text.ts';
import { compareNames, decodeName, encodeName, isEscaped, printableName } from './names.ts';
import { rawArchive } from './testing/raw-archive.ts';

const IS_GNU = spawnSync('tar', ['--version']).stdout?.toString().includes('GNU tar') ?? false;

/** Bytes of names, many of them almost valid UTF-8. */
const bytesWith = (text: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> =>
  fc
    .array(
      fc.oneof(
        text.map((some) => Buffer.from(some)),
        fc.uint8Array({ maxLength: 3 }),
        text.map((some) => Buffer.from(some).subarray(0, -1)),
        fc.constantFrom(
          [0xed, 0xb2, 0x80],
          [0xc0, 0x80],
          [0xf4, 0x90, 0x80, 0x80],
          [0xef, 0xbf, 0xbd],
          [0xef, 0xbb, 0xbf],
        ),
      ),
      { maxLength: 8 },
    )
    .map((parts) => Buffer.concat(parts.map((part) => Buffer.from(part))));
const anyBytes = bytesWith(anyText({ maxLength: 4 }));

/** Characters that every system's library knows, and some that none knows: Latin, marks, separators, Han, of private use, faces. */
const OLD = fc.oneof(
  ...(
    [
      [0, 0x36f],
      [0x2000, 0x2064],
      [0x4e00, 0x9fa5],
      [0xe000, 0xf8ff],
      [0x1f600, 0x1f640],
    ] as const
  ).map(([min, max]) => fc.integer({ min, max }).map((point) => String.fromCodePoint(point))),
);

describe('a name', () => {
  it('comes back from text as it was, whatever its bytes', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(Buffer.from(encodeName(decodeName(bytes))).toString('hex')).toBe(Buffer.from(bytes).toString('hex'));
      }),
      { numRuns: 2000 },
    );
  });

  it('is the text itself if it is UTF-8, and marks other bytes', () => {
    for (const name of ['plain', 'größe', '日本', '😀', '\ufffd', '\ufeffx']) {
      expect(decodeName(Buffer.from(name))).toBe(name);
      expect(isEscaped(name)).toBe(false);
    }
    expect(decodeName(Buffer.from([0x61, 0xe9, 0x62]))).toBe('a\udce9b');
    expect(isEscaped('a\udce9b')).toBe(true);
  });

  it('is compared by its bytes', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (a, b) => {
        expect(Math.sign(compareNames(decodeName(a), decodeName(b)))).toBe(Buffer.compare(a, b));
      }),
      { numRuns: 2000 },
    );
    expect(['\u{1f600}', '\uffff', 'a', 'b/c', 'b', 'b-'].sort(compareNames)).toEqual([
      'a',
      'b',
      'b-',
      'b/c',
      '\uffff',
      '\u{1f600}',
    ]);
  });

  it('is shown without anything that moves a cursor or breaks a line', () => {
    expect(printableName('a\\b\n\t\u001b[31m\u0085\u2028\udce9')).toBe(
      'a\\\\b\\n\\t\\033[31m\\302\\205\\342\\200\\250\\351',
    );
    expect(printableName('größe 日本 "quoted"')).toBe('größe 日本 "quoted"');
  });

  it.skipIf(!IS_GNU)('is shown as GNU tar shows it (skipped where it is not installed)', () => {
    // Invalid bytes may happen to be a newer character of Unicode.
    const isOld = (bytes: Uint8Array): boolean =>
      !/[\p{Cn}\u{370}-\u{1fff}\u{a000}-\u{abff}\u{ffff}-\u{1f5ff}\u{1f641}-\u{10ffff}]/u.test(decodeName(bytes));
    const names = fc
      .sample(bytesWith(fc.string({ unit: OLD, maxLength: 4 })), { numRuns: 3000, seed: 1 })
      .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0 && byte !== 0x2f)))
      .filter(isOld);
    const archive = rawArchive(...names.map((name) => ({ name: Buffer.concat([Buffer.from('x'), name]) })));
    const { stdout } = spawnSync('tar', ['-tf', '-'], { input: archive, env: { ...process.env, LC_ALL: 'C.UTF-8' } });
    expect(stdout.toString().trimEnd().split('\n')).toEqual(names.map((name) => printableName(`x${decodeName(name)}`)));
  });
});
