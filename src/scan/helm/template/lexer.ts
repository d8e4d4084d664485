// Splits the source of a Go template into text and the tokens inside {{ }}. Relies on nothing; positions are lines of the template file.

export interface Text {
  readonly kind: 'text';
  readonly text: string;
  /** The line (from 1) at which the text begins, after its neighbours have trimmed it. */
  readonly line: number;
}

export interface TemplateAction {
  readonly kind: 'action';
  readonly tokens: readonly TemplateToken[];
  readonly line: number;
}

/** `spaced`: white space precedes the token, which distinguishes `.a .b` (two operands) from `.a.b` (one). */
export type TemplateToken = TokenBody & { readonly spaced: boolean };

type TokenBody =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'word'; readonly value: string }
  | { readonly kind: 'field'; readonly value: string }
  | { readonly kind: 'variable'; readonly value: string }
  | { readonly kind: 'dot' }
  | { readonly kind: 'mark'; readonly value: '(' | ')' | '|' | ':=' | '=' | ',' };

export class TemplateSyntaxError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** Splits a template into texts and actions. Comments are removed, and `{{-` and `-}}` have trimmed the texts. Throws TemplateSyntaxError. */
export function lexTemplate(source: string): readonly (Text | TemplateAction)[] {
  const parts: (Text | TemplateAction)[] = [];
  let at = 0;
  let line = 1;
  let trimNext = false;
  const addText = (raw: string, trimEnd: boolean): void => {
    const start = trimNext ? raw.length - raw.trimStart().length : 0;
    const text = trimEnd ? raw.slice(start).trimEnd() : raw.slice(start);
    if (text !== '') parts.push({ kind: 'text', text, line: line + newlines(raw.slice(0, start)) });
    line += newlines(raw);
  };
  for (;;) {
    const open = source.indexOf('{{', at);
    if (open < 0) {
      addText(source.slice(at), false);
      return parts;
    }
    const trims = /^\{\{-[ \t\r\n]/.test(source.slice(open, open + 4));
    addText(source.slice(at, open), trims);
    const inner = open + (trims ? 3 : 2);
    const end = endOfAction(source, inner, line);
    const body = source.slice(inner, end.inner);
    if (!isComment(body)) parts.push({ kind: 'action', tokens: lexAction(body, line), line });
    line += newlines(source.slice(open, end.after));
    trimNext = end.trims;
    at = end.after;
  }
}

function isComment(body: string): boolean {
  return body.trimStart().startsWith('/*');
}

interface ActionEnd {
  readonly inner: number;
  readonly after: number;
  readonly trims: boolean;
}

/** Finds the end of an action. `}}` inside strings and comments does not count. */
function endOfAction(source: string, from: number, line: number): ActionEnd {
  const comment = /\s*\/\*/y;
  comment.lastIndex = from;
  let at = from;
  if (comment.test(source)) {
    const close = source.indexOf('*/', from);
    if (close < 0) throw new TemplateSyntaxError('unclosed comment', line);
    at = close + 2;
  }
  for (; at < source.length; at++) {
    const char = source[at];
    if (char === '"' || char === '`' || char === "'") at = endOfQuoted(source, at, line) - 1;
    else if (source.startsWith('}}', at)) {
      const trims = source[at - 1] === '-' && /\s/.test(source[at - 2] ?? '');
      return { inner: trims ? at - 1 : at, after: at + 2, trims };
    }
  }
  throw new TemplateSyntaxError('unclosed action', line);
}

function endOfQuoted(source: string, from: number, line: number): number {
  const quote = source[from];
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === '\\' && quote !== '`') at++;
    else if (source[at] === quote) return at + 1;
    else if (source[at] === '\n' && quote !== '`') break;
  }
  throw new TemplateSyntaxError('unterminated quoted string', line);
}

const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const FIELD = /\.[\p{L}_][\p{L}\p{N}_]*/uy;
const VARIABLE = /\$[\p{L}\p{N}_]*/uy;
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+(?![.\d])|[\d_]+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y;
const MARK = /:=|[()|=,]/y;

function lexAction(body: string, line: number): readonly TemplateToken[] {
  const tokens: TemplateToken[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(body)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const next = (): TokenBody => {
    const char = body[at] ?? '';
    if (char === '"' || char === '`' || char === "'") {
      const from = at;
      at = endOfQuoted(body, from, line);
      const inner = body.slice(from + 1, at - 1);
      if (char === "'") return { kind: 'number', value: unescapeGo(inner).codePointAt(0) ?? 0 };
      return { kind: 'string', value: char === '"' ? unescapeGo(inner) : inner };
    }
    let found = take(FIELD);
    if (found !== undefined) return { kind: 'field', value: found.slice(1) };
    found = take(VARIABLE);
    if (found !== undefined) return { kind: 'variable', value: found };
    found = take(WORD);
    if (found !== undefined) return { kind: 'word', value: found };
    found = take(NUMBER);
    if (found !== undefined) return { kind: 'number', value: numberOf(found) };
    found = take(MARK);
    if (found !== undefined) return { kind: 'mark', value: found as ':=' };
    if (char === '.') {
      at++;
      return { kind: 'dot' };
    }
    throw new TemplateSyntaxError(`unexpected [${char}] in an action`, line + newlines(body.slice(0, at)));
  };
  for (;;) {
    const spaced = take(/[ \t\r\n]+/y) !== undefined;
    if (at >= body.length) return tokens;
    tokens.push({ ...next(), spaced });
  }
}

/** Go's integer and float literals: 0x1f, 0o17, 017, 1_000, 1e3. */
function numberOf(text: string): number {
  const plain = text.replaceAll('_', '');
  const octal = /^([+-]?)0[oO]?([0-7]+)$/.exec(plain);
  return octal ? Number.parseInt(`${octal[1]}${octal[2]}`, 8) : Number(plain);
}

const ESCAPES: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function unescapeGo(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/g,
    (
      _,
      x: string | undefined,
      u: string | undefined,
      long: string | undefined,
      octal: string | undefined,
      char = '',
    ) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      return ESCAPES[char] ?? char;
    },
  );
}

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
