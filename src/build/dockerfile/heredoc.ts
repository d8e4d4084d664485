// Heredocs: `<<NAME`, `<<-NAME`, `3<<NAME` in RUN, COPY and ADD, and in ONBUILD of these. As in a shell, if any part of the name is quoted,
// variables in the text are not expanded.
import { shellWords } from './shell-word.ts';
import { mistake, type Statement } from './source.ts';

export interface HeredocWord {
  /** Without quotes. */
  readonly name: string;
  /** The file descriptor; 0 (standard input) if none is given. */
  readonly descriptor: number;
  readonly expands: boolean;
  /** `<<-`: leading tabs are removed from each line. */
  readonly stripsTabs: boolean;
  /** Offset in the statement's text. */
  readonly at: number;
  readonly length: number;
}

export interface Heredoc extends HeredocWord {
  /** The text as it is in the file, with leading tabs. */
  readonly content: string;
}

const WORD = /^(\d*)<<(-?)([^<]*)$/s;
const MAY_HAVE = /^\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s(?:\s*--\S+)*\s*(.*)$/is;

/** The heredocs that a statement begins, in order. Errors: DOCKERFILE_INVALID. */
export function heredocWords(statement: Statement): readonly HeredocWord[] {
  const { text } = statement;
  if (!text.includes('<<')) return [];
  const rest = MAY_HAVE.exec(text)?.[1];
  if (rest === undefined || isJson(rest)) return [];
  const found: HeredocWord[] = [];
  let from = text.length - rest.length;
  for (const word of rawWords(statement, rest)) {
    const at = Math.max(text.indexOf(word, from), 0);
    from = at + word.length;
    const heredoc = parseHeredoc(word);
    if (heredoc) found.push({ ...heredoc, at, length: word.length });
  }
  return found;
}

/** Returns `undefined` for a word that begins no heredoc. */
export function parseHeredoc(word: string): Omit<HeredocWord, 'at' | 'length'> | undefined {
  const [, descriptor = '', dash, after = ''] = WORD.exec(word) ?? [];
  const rest = after.trimStart();
  if (rest === '') return undefined;
  let plain: readonly string[];
  let raw: readonly string[];
  try {
    plain = shellWords(rest, NOTHING, { escapeToken: '\\', keepUnset: true });
    raw = shellWords(rest, NOTHING, { escapeToken: '\\', keepUnset: true, rawQuotes: true });
  } catch {
    return undefined;
  }
  const [name, ...others] = plain;
  if (name === undefined || others.length > 0) return undefined;
  const expands = quotesIn(name) === quotesIn(raw[0] ?? '');
  return { name, descriptor: Number(descriptor || 0), expands, stripsTabs: dash === '-' };
}

/** The content after `<<-` has removed leading tabs. */
export function heredocText({ content, stripsTabs }: Pick<Heredoc, 'content' | 'stripsTabs'>): string {
  return stripsTabs ? content.replaceAll(/^\t+/gm, '') : content;
}

function rawWords(statement: Statement, text: string): readonly string[] {
  try {
    return shellWords(text, NOTHING, { escapeToken: '\\', keepUnset: true, rawQuotes: true, rawEscapes: true });
  } catch (cause) {
    // The shell may understand a word that is invalid here. The only loss is that heredocs in this statement are not found.
    if (/^\s*(?:ONBUILD\s+)?RUN\b/i.test(statement.text)) return [];
    throw mistake(statement, cause instanceof Error ? cause.message : 'quotes that do not match', { cause });
  }
}

function isJson(text: string): boolean {
  if (!text.startsWith('[')) return false;
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

function quotesIn(text: string): number {
  return text.match(/['"]/g)?.length ?? 0;
}

const NOTHING = () => undefined;
