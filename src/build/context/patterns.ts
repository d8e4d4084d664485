// Path patterns of .dockerignore, --exclude and --parents: `*`, `?`, `[…]`, `**` for any number of directories, and `!` to re-include. The last
// matching pattern wins. Docker's patternmatcher is the reference.
import { literalState, matchesWhole, repeatedState, type State } from '../wildcards.ts';

export interface Patterns {
  /** Whether the path, or a directory above it, matches. Paths have no leading `/`. */
  matches(path: string): boolean;
  /** There is a `!` pattern, so something in a matched directory may be re-included. */
  readonly takeBack: boolean;
}

/** An invalid pattern. */
export class PatternError extends Error {}

/** Empty patterns are ignored. Errors: PatternError. */
export function compilePatterns(texts: readonly string[]): Patterns {
  const patterns = texts
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map(compile);
  return {
    takeBack: patterns.some(({ takesBack }) => takesBack),
    matches(path) {
      let matched = false;
      for (const { takesBack, matches } of patterns) {
        if (takesBack === matched && selfAndAbove(path).some(matches)) matched = !takesBack;
      }
      return matched;
    },
  };
}

/** Matches one component of a path in a COPY source: `!` and blanks are literal, `**` is `*`. Errors: PatternError. */
export function partMatcher(part: string): (name: string) => boolean {
  return matcherOf(part.replaceAll(/\*+/g, '*'));
}

interface Pattern {
  readonly takesBack: boolean;
  readonly matches: (path: string) => boolean;
}

function compile(text: string): Pattern {
  const takesBack = text.startsWith('!');
  const pattern = cleaned(takesBack ? text.slice(1) : text);
  if (takesBack && text.length === 1) throw new PatternError('a pattern that is nothing but [!]');
  return { takesBack, matches: matcherOf(pattern) };
}

function matcherOf(pattern: string): (path: string) => boolean {
  // A `**` at the start or end is a plain comparison of the rest with the end or the start of the path, even inside a name.
  if (/^\*\*[^*?[\]\\]*$/.test(pattern)) {
    const end = pattern.slice(2);
    return (path) => path.endsWith(end) || (end.startsWith('/') && path === end.slice(1));
  }
  if (/^[^*?[\]\\]*\*\*$/.test(pattern)) {
    const start = pattern.slice(0, -2);
    return (path) => path.startsWith(start);
  }
  if (!/[*?[\]\\]/.test(pattern)) return (path) => path === pattern;
  const states = statesOf(pattern);
  return (path) => matchesWhole(states, path);
}

function statesOf(pattern: string): readonly State[] {
  const states: State[] = [];
  const anyChar = (): boolean => true;
  const inFolder = (char: string): boolean => char !== '/';
  const chars = [...pattern];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] as string;
    if (char === '*' && chars[at + 1] === '*') {
      at += chars[at + 2] === '/' ? 2 : 1;
      if (at === chars.length - 1) states.push(repeatedState(anyChar));
      // Matches nothing, or any characters that end with a slash.
      else states.push({ skips: [1, 2] }, { stays: anyChar, passes: (other) => other === '/' });
    } else if (char === '*') states.push(repeatedState(inFolder));
    else if (char === '?') states.push({ passes: inFolder });
    else if (char === '[') {
      const { matches, end } = classAt(pattern, chars, at);
      states.push({ passes: matches });
      at = end;
    } else if (char === '\\') {
      const next = chars[++at];
      if (next === undefined) throw new PatternError(`a pattern that ends in a backslash [${pattern}]`);
      states.push(literalState(next));
    } else states.push(literalState(char));
  }
  return states;
}

/** A character class: `[a-z]`, `[^a]`; a backslash escapes. */
function classAt(
  pattern: string,
  chars: readonly string[],
  from: number,
): { readonly matches: (char: string) => boolean; readonly end: number } {
  let end = from + 1;
  while (end < chars.length && chars[end] !== ']') end += chars[end] === '\\' ? 2 : 1;
  const match = /^(\^?)(.+)$/su.exec(chars.slice(from + 1, end).join(''));
  if (!match || end >= chars.length) throw new PatternError(`a bracket that has no end [${pattern}]`);
  const [, not = '', inner = ''] = match;
  const escaped = inner.replaceAll(
    /\\(.)|([[^&~#@%<>=!,:;`])/gsu,
    (_, taken?: string, plain?: string) => `\\u{${(taken ?? plain ?? '').codePointAt(0)?.toString(16)}}`,
  );
  try {
    const expression = new RegExp(`^[${not}${escaped}]$`, 'su');
    return { matches: (char) => expression.test(char), end };
  } catch {
    throw new PatternError(`no pattern of paths [${pattern}]`);
  }
}

/** Removes `.`, `..` and doubled slashes. */
export function cleaned(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..' || parts.length === 0 || parts.at(-1) === '..') parts.push(part);
    else parts.pop();
  }
  const text = parts.join('/');
  return text === '' ? '.' : path.startsWith('/') ? `/${text}` : text;
}

function selfAndAbove(path: string): readonly string[] {
  const paths = [path];
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    paths.push(path.slice(0, slash));
  }
  return paths;
}
