// Heredocs: `<<NAME`, `<<-NAME`, `3<<NAME` in RUN, COPY and ADD, and in ONBUILD of these. As in a shell, quotes around the name, or a part of it, mean that
// nothing in the text is expanded.
import { shellWords } from './shell-word.ts';
import { mistake, type Statement } from './source.ts';

export interface HeredocWord {
  /** Without quotes. */
  readonly name: string;
  /** 0 where none is said: the standard input. */
  readonly descriptor: number;
  readonly expands: boolean;
  /** `<<-`: tabs at the beginning of lines are no content. */
  readonly stripsTabs: boolean;
  /** Where in the statement. */
  readonly at: number;
  readonly length: number;
}

export interface Heredoc extends HeredocWord {
  /** As it stands in the file, tabs included. */
  readonly content: string;
}

const WORD = /^(\d*)<<(-?)([^<]*)$/s;
const MAY_HAVE = /^\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s(?:\s*--\S+)*\s*(.*)$/is;

/** Those that a statement begins, in their order. Errors: DOCKERFILE_INVALID. */
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

/** `undefined` for a word that begins no heredoc. */
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

/** The content as a program sees it. */
export function heredocText({ content, stripsTabs }: Pick<Heredoc, 'content' | 'stripsTabs'>): string {
  return stripsTabs ? content.replaceAll(/^\t+/gm, '') : content;
}

function rawWords(statement: Statement, text: string): readonly string[] {
  try {
    return shellWords(text, NOTHING, { escapeToken: '\\', keepUnset: true, rawQuotes: true, rawEscapes: true });
  } catch (cause) {
    // The shell may understand what is no word here; only heredocs could not be found then.
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
