// Patterns of paths as .dockerignore has them, and --exclude and --parents: `*`, `?`, `[…]`, `**` for any number of directories, `!` takes back, the last
// match wins (Docker's patternmatcher decides what is what).
import { literalState, matchesWhole, repeatedState, type State } from '../wildcards.ts';

export interface Patterns {
  /** Whether the path, or a directory above it, is matched. Paths have no leading `/`. */
  matches(path: string): boolean;
  /** Some pattern takes back: what is in a matched directory may be wanted. */
  readonly takeBack: boolean;
}

/** The pattern that is none. */
export class PatternError extends Error {}

/** Errors: PatternError. Empty ones count for nothing. */
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

/** Of one part of a path, as a source of COPY has it: `!` and blanks mean themselves, `**` is `*`. Errors: PatternError. */
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
  // `**` at the end matches all that begins so, at the beginning all that ends so, directories or not.
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
  const any = (): boolean => true;
  const inFolder = (char: string): boolean => char !== '/';
  const chars = [...pattern];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] as string;
    if (char === '*' && chars[at + 1] === '*') {
      at += chars[at + 2] === '/' ? 2 : 1;
      if (at === chars.length - 1) states.push(repeatedState(any));
      // None, or some with the slash after the last.
      else states.push({ skips: [1, 2] }, { stays: any, passes: (other) => other === '/' });
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

/** `[a-z]`, `[^a]`; a backslash takes a meaning away. */
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

/** `.`, `..` and doubled slashes away. */
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
