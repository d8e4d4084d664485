// Any text, for property tests. `fc.string({ unit: 'binary' })` has the same ones, and takes two seconds of a processor before it gives the first.
import fc from 'fast-check';

const between = (min: number, max: number) => fc.integer({ min, max }).map((point) => String.fromCodePoint(point));

/** Characters of one to four bytes of UTF-8, without halves of surrogate pairs; control characters and marks of direction often. */
const CHARACTER = fc.oneof(
  between(0, 0x7f),
  between(0x80, 0x7ff),
  between(0x800, 0xd7ff),
  between(0xe000, 0xffff),
  between(0x10000, 0x10ffff),
  between(0x7f, 0x9f),
  between(0x2000, 0x206f),
);

/** `minLength` and `maxLength` count characters. */
export function anyText(
  length: { readonly minLength?: number; readonly maxLength?: number } = {},
): fc.Arbitrary<string> {
  return fc.string({ ...length, unit: CHARACTER });
}
