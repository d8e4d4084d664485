// Patterns of paths as .dockerignore has them, and --exclude and --parents: `*`, `?`, `[…]`, `**` for any number of directories, `!` takes back, the last
// match wins (Docker's patternmatcher decides what is what).

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
  let expression: RegExp;
  try {
    expression = new RegExp(`^${sourceOf(pattern)}$`, 'su');
  } catch {
    throw new PatternError(`no pattern of paths [${pattern}]`);
  }
  return (path) => expression.test(path);
}

function sourceOf(pattern: string): string {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] as string;
    if (char === '*' && pattern[at + 1] === '*') {
      at += pattern[at + 2] === '/' ? 2 : 1;
      source += at === pattern.length - 1 ? '.*' : '(?:.*/)?';
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const { text, end } = classAt(pattern, at);
      source += text;
      at = end;
    } else if (char === '\\') {
      const next = pattern[++at];
      if (next === undefined) throw new PatternError(`a pattern that ends in a backslash [${pattern}]`);
      source += literal(next);
    } else source += literal(char);
  }
  return source;
}

/** `[a-z]`, `[^a]`; a backslash takes a meaning away. */
function classAt(pattern: string, from: number): { text: string; end: number } {
  const match = /^\[(\^?)((?:\\.|[^\]\\])+)\]/su.exec(pattern.slice(from));
  if (!match) throw new PatternError(`a bracket that has no end [${pattern}]`);
  const [whole, not = '', inner = ''] = match;
  const chars = inner.replaceAll(
    /\\(.)|([[^&~#@%<>=!,:;`])/gsu,
    (_, escaped?: string, plain?: string) => `\\u{${(escaped ?? plain ?? '').codePointAt(0)?.toString(16)}}`,
  );
  return { text: `[${not}${chars}]`, end: from + whole.length - 1 };
}

function literal(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/u, '\\$&');
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
