// Remembers the secrets that this process has sent to others, and redacts them from foreign text, in every encoding in which they come back.
import { addAll } from '../../oci/add-all.ts';
import { withoutUserinfo } from '../../oci/errors.ts';

/** How many are remembered. Tokens come and go while a server runs, so the oldest are forgotten. */
const MAX_KNOWN = 300;
/** How many encodings inside each other are undone: JSON in JSON, a URL in a URL. */
const MAX_DEPTH = 3;
const MASK = '***';
/** Secrets shorter than this are redacted only if they stand alone, because ordinary words contain them. */
const SHORT = 4;

/** The secrets, in the order in which they were last sent. */
const known = new Set<string>();

/** Remembers passwords, tokens and encoded credentials. From now on `withoutSecrets` removes them from every text. */
export function rememberSecrets(...secrets: readonly string[]): void {
  for (const secret of secrets.flatMap(spellings)) {
    known.delete(secret);
    known.add(secret);
  }
  for (const secret of known) {
    if (known.size <= MAX_KNOWN) break;
    known.delete(secret);
  }
}

/** Redacts a foreign text: remembered secrets (also percent-encoded, JSON-escaped or HTML-escaped), and anything that looks like a secret. */
export function withoutSecrets(text: string): string {
  return withoutUserinfo(withoutKnown(text))
    .replace(/\b(Basic|Bearer)(\s+)[\w+/.~=-]{20,}/gi, `$1$2${MASK}`)
    .replace(/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, MASK)
    .replace(
      /([?&;][\w.-]*(?:signature|sig|token|secret|passw(?:or)?d|credential|apikey|key)=)[^&;\s"'<>]+/gi,
      `$1${MASK}`,
    );
}

/** The spellings of a secret. In this file a string holds a byte in each character, because decoding gives bytes. */
function spellings(secret: string): readonly string[] {
  const bytes = asBytes(secret);
  if (bytes === '') return [];
  const base64 = /^[A-Za-z0-9+/]{8,}=*$/.test(bytes) ? bytes.replace(/=+$/, '') : bytes;
  // base64 also with the URL alphabet, and forms write `+` for a blank.
  return [...new Set([base64, base64.replaceAll('+', '-').replaceAll('/', '_'), bytes.replaceAll(' ', '+')])];
}

interface Layer {
  /** One byte in each character. */
  readonly text: string;
  /** Where each character begins in the original text, in bytes; and one more entry for the end. */
  readonly at: readonly number[];
}

function withoutKnown(text: string): string {
  if (known.size === 0) return text;
  const bytes = asBytes(text);
  const hidden: (readonly [number, number])[] = [];
  let layer: Layer | undefined = { text: bytes, at: Array.from({ length: bytes.length + 1 }, (_, index) => index) };
  for (let depth = 0; layer && depth <= MAX_DEPTH; depth += 1) {
    for (const secret of known) addAll(hidden, found(layer, secret));
    layer = decoded(layer);
  }
  return hidden.length === 0 ? text : masked(bytes, hidden);
}

function found({ text, at }: Layer, secret: string): readonly (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  for (let from = text.indexOf(secret); from >= 0; from = text.indexOf(secret, from + 1)) {
    const to = from + secret.length;
    const alone = !/\w/.test(text[from - 1] ?? '') && !/\w/.test(text[to] ?? '');
    if (secret.length >= SHORT || alone) ranges.push([at[from] ?? 0, at[to] ?? 0]);
  }
  return ranges;
}

const ESCAPE =
  /%([0-9a-f]{2})|\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|\\(["'\\/])|&#(\d{1,7});|&#x([0-9a-f]{1,6});|&(quot|amp|lt|gt|apos);/gi;
const ENTITIES: Readonly<Record<string, string>> = { quot: '"', amp: '&', lt: '<', gt: '>', apos: "'" };

/** Undoes one encoding; returns `undefined` if there is none. */
function decoded({ text, at }: Layer): Layer | undefined {
  let plain = '';
  const begins: number[] = [];
  let last = 0;
  const take = (piece: string, begin: (index: number) => number) => {
    for (let index = 0; index < piece.length; index += 1) begins.push(begin(index));
    plain += piece;
  };
  for (const match of text.matchAll(ESCAPE)) {
    const from = last;
    take(text.slice(from, match.index), (index) => at[from + index] ?? 0);
    take(unescaped(match), () => at[match.index] ?? 0);
    last = match.index + match[0].length;
  }
  if (last === 0) return undefined;
  const from = last;
  take(text.slice(from), (index) => at[from + index] ?? 0);
  return { text: plain, at: [...begins, at.at(-1) ?? 0] };
}

function unescaped(match: RegExpExecArray): string {
  const [, percent, high, low, unit, byte, character, decimal, hex, entity] = match;
  if (percent ?? byte) return String.fromCharCode(Number.parseInt(percent ?? byte ?? '', 16));
  if (character !== undefined) return character;
  if (entity !== undefined) return ENTITIES[entity.toLowerCase()] ?? '';
  if (high !== undefined && low !== undefined) {
    return asBytes(String.fromCharCode(Number.parseInt(high, 16), Number.parseInt(low, 16)));
  }
  const code = decimal === undefined ? Number.parseInt(unit ?? hex ?? '', 16) : Number(decimal);
  return code > 0x10ffff ? match[0] : asBytes(String.fromCodePoint(code));
}

function masked(bytes: string, hidden: readonly (readonly [number, number])[]): string {
  let text = '';
  let end = 0;
  for (const [from, to] of hidden.toSorted((a, b) => a[0] - b[0])) {
    if (from >= end) text += `${bytes.slice(end, from)}${MASK}`;
    end = Math.max(end, to);
  }
  return Buffer.from(text + bytes.slice(end), 'latin1').toString('utf8');
}

function asBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
