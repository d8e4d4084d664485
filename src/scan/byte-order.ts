// Sort order of lists: by the bytes of the UTF-8 text, like `LC_ALL=C sort`.

/** `<` compares UTF-16 code units. That differs from byte order only for surrogates. */
export function byBytes(a: string, b: string): number {
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

const SURROGATE = /[\ud800-\udfff]/;
