// The order of lists: by the bytes of their UTF-8, as `LC_ALL=C sort` has it.

/** UTF-16, which `<` compares by, differs from byte order only where surrogates are involved. */
export function byBytes(a: string, b: string): number {
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

const SURROGATE = /[\ud800-\udfff]/;
