// Splits the text of a statement into keyword, flags and rest; and the rest into words, or the strings of a JSON array.
import type { Word } from './instructions.ts';
import { mistake, type Statement } from './source.ts';

export interface InstructionParts {
  readonly keyword: string;
  readonly flags: readonly Word[];
  readonly rest: Word;
}

/** Flags are the words directly after the keyword that begin with `--`. Their quotes are removed. */
export function splitStatement(statement: Statement, escapeToken: string): InstructionParts {
  const { text } = statement;
  const [, indent = '', keyword = '', gap = ''] = /^(\s*)(\S+)([\t\v\f\r ]*)/.exec(text) ?? [];
  const flags: Word[] = [];
  let at = indent.length + keyword.length + gap.length;
  for (;;) {
    const next = skipBlanks(text, at);
    if (!text.startsWith('--', next)) return { keyword, flags, rest: trimmed(text, next) };
    const { word, end } = flagAt(text, next, escapeToken);
    at = end;
    if (word === '--') return { keyword, flags, rest: trimmed(text, end) };
    if (word !== '') flags.push({ text: word, at: next });
  }
}

function flagAt(text: string, from: number, escapeToken: string): { word: string; end: number } {
  let word = '';
  let quote = '';
  let at = from;
  for (; at < text.length; at++) {
    const char = text[at] as string;
    if (quote === '' && /\s/.test(char)) break;
    if (quote === '' && (char === "'" || char === '"')) quote = char;
    else if (char === quote) quote = '';
    else if (char === escapeToken) word += text[++at] ?? '';
    else word += char;
  }
  return { word, end: at };
}

/** Splits at blanks, except in quotes and after escape characters, which stay in the word. */
export function quotedWords({ text, at: offset }: Word, escapeToken: string): readonly Word[] {
  const words: Word[] = [];
  let at = skipBlanks(text, 0);
  while (at < text.length) {
    const from = at;
    let word = '';
    let quote = '';
    for (; at < text.length; at++) {
      const char = text[at] as string;
      if (quote === '' && /\s/.test(char)) break;
      if (char === escapeToken && quote !== "'") {
        if (at + 1 === text.length) break;
        word += char + text[++at];
        continue;
      }
      if (quote === '' && (char === "'" || char === '"')) quote = char;
      else if (char === quote) quote = '';
      word += char;
    }
    if (word !== '') words.push({ text: word, at: offset + from });
    at = skipBlanks(text, at < text.length && text[at] === escapeToken ? at + 1 : at);
  }
  return words;
}

/** Splits at blanks, even inside quotes; only the name of a heredoc may be quoted. */
export function plainWords({ text, at }: Word): readonly Word[] {
  return [...text.matchAll(/\d*<<-?[ \t]*(?:'[^']*'|"[^"]*"|[^\s'"<])+|[^\t\v\f\r ]+/g)].map((match) => ({
    text: match[0],
    at: at + match.index,
  }));
}

/** Parses a JSON array of strings. Returns `undefined` if it is no array, or if text follows it. Errors: DOCKERFILE_INVALID (an array of other values). */
export function jsonStrings(statement: Statement, { text, at }: Word): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  if (value.every((each) => typeof each === 'string')) return value;
  throw mistake(statement, 'an array in JSON form holds strings only', {
    at,
    length: text.length,
    hint: 'Write each of them in double quotes: ["echo", "1"].',
  });
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] as string)) at++;
  return at;
}

function trimmed(text: string, from: number): Word {
  const at = skipBlanks(text, from);
  return { text: text.slice(at).trimEnd(), at };
}
