// Expands words like a POSIX shell, as far as a Dockerfile does: quotes, escapes, `$name`, `${name}` with its modifiers. No globbing, no command substitution.
import { patternMatcher } from './shell-pattern.ts';
import { WordError } from './word-error.ts';

/** Returns the value of a variable, or `undefined` if it is not set. */
export type Lookup = (name: string) => string | undefined;

export interface WordOptions {
  readonly escapeToken: string;
  /** Quotes stay in the result. */
  readonly rawQuotes?: boolean;
  /** Escape characters stay in the result. */
  readonly rawEscapes?: boolean;
  /** Quotes are ordinary characters, as in the text of a heredoc. */
  readonly plainQuotes?: boolean;
  /** References to unset variables stay as written. */
  readonly keepUnset?: boolean;
}

/** The word with its variables expanded. Errors: WordError. */
export function expandWord(word: string, lookup: Lookup, options: WordOptions): string {
  return expand(word, lookup, options).text;
}

/** Expands a word and splits it into words. As in a shell, blanks in unquoted variables split words, too. Errors: WordError. */
export function shellWords(word: string, lookup: Lookup, options: WordOptions): readonly string[] {
  return expand(word, lookup, options).words;
}

interface Scan {
  readonly chars: readonly string[];
  at: number;
  readonly lookup: Lookup;
  readonly options: WordOptions;
  depth: number;
}

/** The deepest nesting, as in `${a:-${b:-…}}`. More is an attack. */
const MAX_DEPTH = 100;

/** The most characters that variables add to one word. Linux accepts no string over 128 KiB, and variables that double each other would grow without limit. */
const MAX_VALUES = 1 << 20;

function expand(word: string, look: Lookup, options: WordOptions): Expanded {
  let length = 0;
  const lookup: Lookup = (name) => {
    const value = look(name);
    length += value?.length ?? 0;
    if (length > MAX_VALUES) throw new WordError(`variables make it too long [more than ${MAX_VALUES} characters]`);
    return value;
  };
  return upTo({ chars: [...word], at: 0, lookup, options, depth: 0 }, undefined, options.rawEscapes ?? false);
}

interface Expanded {
  readonly text: string;
  readonly words: readonly string[];
}

const BLANK = /^\s$/u;

/** Expands up to the character `stop`, which is consumed, or to the end. */
function upTo(scan: Scan, stop: string | undefined, rawEscapes: boolean): Expanded {
  const { chars, options } = scan;
  const words: string[] = [];
  let text = '';
  let pending = '';
  let isWord = false;
  const addRaw = (part: string) => {
    text += part;
    pending += part;
    isWord = true;
  };
  const endWord = () => {
    if (pending !== '') words.push(pending);
    pending = '';
    isWord = false;
  };
  const add = (part: string) => {
    text += part;
    for (const char of part) {
      if (!BLANK.test(char)) {
        pending += char;
        isWord = true;
      } else if (isWord) endWord();
    }
  };
  while (scan.at < chars.length) {
    const char = chars[scan.at] as string;
    if (char === stop) {
      scan.at++;
      endWord();
      return { text, words };
    }
    if (char === '$') add(dollar(scan));
    else if (char === '<') addRaw(heredocMark(scan));
    else if (char === "'" && !options.plainQuotes) addRaw(singleQuoted(scan));
    else if (char === '"' && !options.plainQuotes) addRaw(doubleQuoted(scan, rawEscapes));
    else if (char === options.escapeToken) {
      scan.at++;
      const next = chars[scan.at++];
      if (rawEscapes) addRaw(char);
      if (next !== undefined) addRaw(next);
    } else {
      scan.at++;
      add(char);
    }
  }
  if (stop !== undefined) throw new WordError(stop === '}' ? "a '}' is missing" : `a '${stop}' is missing in \${}`);
  endWord();
  return { text, words };
}

/** Reads `<<` or `<<-` and the blanks after it, which belong to the same word as the name that follows. */
function heredocMark(scan: Scan): string {
  const { chars } = scan;
  scan.at++;
  if (chars[scan.at] !== '<') return '<';
  scan.at++;
  let blanks = '';
  if (chars[scan.at] === '-') blanks += chars[scan.at++];
  while (/^[ \t\r]$/.test(chars[scan.at] ?? '')) blanks += chars[scan.at++];
  return `<<${blanks}`;
}

function singleQuoted(scan: Scan): string {
  const end = scan.chars.indexOf("'", scan.at + 1);
  if (end < 0) throw new WordError('a single quote has no end');
  const text = scan.chars.slice(scan.at + 1, end).join('');
  scan.at = end + 1;
  return scan.options.rawQuotes ? `'${text}'` : text;
}

function doubleQuoted(scan: Scan, rawEscapes: boolean): string {
  const { chars, options } = scan;
  const quote = options.rawQuotes ? '"' : '';
  let text = quote;
  scan.at++;
  for (;;) {
    const char = chars[scan.at];
    if (char === undefined) throw new WordError('a double quote has no end');
    if (char === '"') {
      scan.at++;
      return text + quote;
    }
    if (char === '$') {
      text += dollar(scan);
      continue;
    }
    scan.at++;
    if (char !== options.escapeToken) {
      text += char;
      continue;
    }
    if (rawEscapes) text += char;
    const next = chars[scan.at];
    if (next === undefined) continue;
    if (next === '"' || next === '$' || next === options.escapeToken) {
      text += next;
      scan.at++;
    } else if (!rawEscapes) text += char;
  }
}

const SPECIAL = '@*#?-$!0';

function nameAt(scan: Scan): string {
  const { chars } = scan;
  const first = chars[scan.at] ?? '';
  const isDigits = /^\p{Nd}$/u.test(first);
  if (!isDigits && first !== '' && SPECIAL.includes(first)) {
    scan.at++;
    return first;
  }
  const allowed = isDigits ? /^\p{Nd}$/u : /^[\p{L}\p{Nd}_]$/u;
  let name = '';
  while (allowed.test(chars[scan.at] ?? '')) name += chars[scan.at++];
  return name;
}

function dollar(scan: Scan): string {
  const { chars, lookup, options } = scan;
  scan.at++;
  if (chars[scan.at] !== '{') {
    const name = nameAt(scan);
    if (name === '') return '$';
    return lookup(name) ?? (options.keepUnset ? `$${name}` : '');
  }
  scan.at++;
  const first = chars[scan.at];
  if (first === undefined) throw new WordError("a '}' is missing");
  if (first === '{' || first === '}' || first === ':') throw new WordError(`nothing that can stand in \${} [${first}]`);
  const name = nameAt(scan);
  const operator = chars[scan.at++];
  if (operator === undefined) throw new WordError("a '}' is missing");
  if (operator === '}') return lookup(name) ?? (options.keepUnset ? `\${${name}}` : '');
  if (operator === '/') return replaced(scan, name);
  if (operator === ':') return conditional(scan, name, `:${chars[scan.at++] ?? ''}`);
  return conditional(scan, name, operator);
}

function conditional(scan: Scan, name: string, operator: string): string {
  if (!/^(?::?[-+?]|[#%])$/.test(operator)) throw new WordError(`no modifier of variables [\${${name}${operator}…}]`);
  const isPattern = operator === '#' || operator === '%';
  if (++scan.depth > MAX_DEPTH) throw new WordError(`variables in variables, too deep [${MAX_DEPTH}]`);
  const { text: word } = upTo(scan, '}', isPattern);
  scan.depth--;
  const value = scan.lookup(name);
  if (value === undefined && scan.options.keepUnset) return `\${${name}${operator}${word}}`;
  const isSet = value !== undefined && !(operator.startsWith(':') && value === '');
  switch (operator.at(-1)) {
    case '-':
      return isSet ? value : word;
    case '+':
      return isSet ? word : '';
    case '?':
      if (isSet) return value;
      throw new WordError(`${name}: ${word || (value === undefined ? 'is not set' : 'is empty')}`);
    default: {
      const isGreedy = word.startsWith(operator);
      const pattern = patternMatcher(isGreedy ? word.slice(1) : word);
      return operator === '#' ? pattern.withoutStart(value ?? '', isGreedy) : pattern.withoutEnd(value ?? '', isGreedy);
    }
  }
}

function replaced(scan: Scan, name: string): string {
  const all = scan.chars[scan.at] === '/';
  if (all) scan.at++;
  const { text: pattern } = upTo(scan, '/', true);
  const { text: by } = upTo(scan, '}', true);
  const value = scan.lookup(name);
  if (value === undefined && scan.options.keepUnset) return `\${${name}/${pattern}/${by}}`;
  return patternMatcher(pattern).replace(value ?? '', by.replaceAll(/\\([}/])/g, '$1'), all);
}
