// The scopes of variables: ARGs before FROM, ARG and ENV in a stage, and the predefined ones.
import { formatPlatform, normalisePlatform, type Platform } from '../../oci/platform.ts';
import type { Lookup } from '../dockerfile/shell-word.ts';
import { expandWord, shellWords, type WordOptions } from '../dockerfile/shell-word.ts';
import { mistake, type Statement } from '../dockerfile/source.ts';
import { WordError } from '../dockerfile/word-error.ts';

export interface StageVariables {
  readonly lookup: Lookup;
  readonly escapeToken: string;
}

/** Proxy variables need no ARG. They are in neither the history nor the key. */
export const PROXY_NAMES: readonly string[] = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'FTP_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
].flatMap((name) => [name, name.toLowerCase()]);

export function platformArgs(prefix: 'BUILD' | 'TARGET', platform: Platform): ReadonlyMap<string, string> {
  const { os, architecture, variant = '' } = normalisePlatform(platform);
  return new Map([
    [`${prefix}PLATFORM`, formatPlatform(normalisePlatform(platform))],
    [`${prefix}OS`, os],
    [`${prefix}ARCH`, architecture],
    [`${prefix}VARIANT`, variant],
  ]);
}

/** Errors: DOCKERFILE_INVALID, with the word's position. */
export function expanded(statement: Statement, word: string, variables: StageVariables): string {
  return placing(statement, word, () => expandWord(word, variables.lookup, options(variables)));
}

export function expandedWords(statement: Statement, word: string, variables: StageVariables): readonly string[] {
  return placing(statement, word, () => shellWords(word, variables.lookup, options(variables)));
}

/** Expands the text of a heredoc: quotes are ordinary characters, and the escape character is always the backslash. */
export function expandedText(statement: Statement, text: string, { lookup }: StageVariables): string {
  return placing(statement, text, () => expandWord(text, lookup, { escapeToken: '\\', plainQuotes: true }));
}

function options({ escapeToken }: StageVariables): WordOptions {
  return { escapeToken };
}

function placing<T>(statement: Statement, word: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    const at = statement.text.indexOf(word);
    throw mistake(statement, error.message, { ...(at >= 0 && { at, length: word.length }), cause: error });
  }
}
