// Names in tar archives are bytes, mostly UTF-8. They are decoded without loss: a byte that is not part of valid UTF-8 becomes a lone surrogate (U+DC80 to
// U+DCFF), which no valid text contains. Python's `surrogateescape` does the same.

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ESCAPE = 0xdc00;
const LONE = /[\udc80-\udcff]/;

/** Decodes a name. `encodeName` gives the same bytes back. */
export function decodeName(bytes: Uint8Array): string {
  const text = viewOf(bytes).toString();
  // Node decodes an invalid byte to this character.
  return text.includes('\ufffd') ? decodeStrictly(bytes) : text;
}

/** A name from `decodeName` as the bytes that it came from. */
export function encodeName(name: string): Uint8Array {
  if (!LONE.test(name)) return Buffer.from(name);
  const parts: Uint8Array[] = [];
  for (const part of name.split(/([\udc80-\udcff]+)/u)) {
    // With the flag `u`, only lone surrogates match: a pair is one character.
    if (LONE.test(part) && part.length === [...part].length && isEscaped(part))
      parts.push(Uint8Array.from(part, (character) => character.charCodeAt(0) - ESCAPE));
    else parts.push(Buffer.from(part));
  }
  return Buffer.concat(parts);
}

/** Whether the name contains bytes that are not valid UTF-8. */
export function isEscaped(name: string): boolean {
  return /[\udc80-\udcff]/u.test(name);
}

/** `<` compares UTF-16 code units. That differs from byte order only if there are surrogates. */
const SURROGATE = /[\ud800-\udfff]/;

/** Sorts names in place, in byte order. Much faster than `compareNames` as long as no name has surrogates. */
export function sortNames(names: string[]): string[] {
  return names.some((name) => SURROGATE.test(name)) ? names.sort(compareNames) : names.sort();
}

/** Compares names in byte order, as `LC_ALL=C sort` does. */
export function compareNames(a: string, b: string): number {
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(encodeName(a), encodeName(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Formats a name for people, exactly as `tar t` does: a backslash is doubled; control characters, characters unknown to Unicode, and invalid UTF-8 are octal.
 * The result can neither move a terminal's cursor nor break a line.
 */
export function printableName(name: string): string {
  return name.replace(UNPRINTABLE, escaped);
}

const UNPRINTABLE = /[\\\p{Cc}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** How C writes control characters, and the backslash. */
export const C_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

function escaped(character: string): string {
  return C_ESCAPES[character] ?? Array.from(encodeName(character), octal).join('');
}

function octal(byte: number): string {
  return `\\${byte.toString(8).padStart(3, '0')}`;
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function decodeStrictly(bytes: Uint8Array): string {
  try {
    return STRICT.decode(bytes);
  } catch {
    return decodeByParts(bytes);
  }
}

/** Decodes valid UTF-8 by characters, and all other bytes one by one. */
function decodeByParts(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    text +=
      length > 0 ? STRICT.decode(bytes.subarray(at, at + length)) : String.fromCharCode(ESCAPE + (bytes[at] ?? 0));
    at += length || 1;
  }
  return text;
}

/** Length in bytes of the UTF-8 character at index `at`; 0 if none starts there. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length < 2) return length;
  try {
    STRICT.decode(bytes.subarray(at, at + length));
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0;
  }
}
