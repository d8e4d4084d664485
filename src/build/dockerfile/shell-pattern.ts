// The patterns of `${name#…}`, `${name%…}` and `${name/…/…}`: `*` and `?`, a backslash takes a meaning away (POSIX.1-2017, 2.13, without brackets).
import { WordError } from './word-error.ts';

export interface PatternMatcher {
  withoutStart(value: string, longest: boolean): string;
  withoutEnd(value: string, longest: boolean): string;
  /** The first, or each, longest match. */
  replace(value: string, by: string, all: boolean): string;
}

/** Errors: WordError for an escape that means nothing. */
export function patternMatcher(pattern: string): PatternMatcher {
  const parts = partsOf(pattern);
  return {
    withoutStart: (value, longest) => value.replace(new RegExp(`^${sourceOf(parts, longest)}`, 'u'), ''),
    withoutEnd: (value, longest) => {
      const whole = new RegExp(`^${sourceOf(parts, true)}$`, 'u');
      const starts = [...value].map((_, at, chars) => chars.slice(0, at).join('').length).concat(value.length);
      const start = (longest ? starts : starts.reverse()).find((at) => whole.test(value.slice(at)));
      return start === undefined ? value : value.slice(0, start);
    },
    replace: (value, by, all) => value.replace(new RegExp(sourceOf(parts, true), all ? 'gu' : 'u'), () => by),
  };
}

type Part = { readonly kind: 'any' | 'one'; readonly char?: never } | { readonly kind: 'text'; readonly char: string };

function partsOf(pattern: string): readonly Part[] {
  const chars = [...pattern];
  const parts: Part[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] as string;
    if (char === '*') parts.push({ kind: 'any' });
    else if (char === '?') parts.push({ kind: 'one' });
    else if (char === '\\') {
      const next = chars[++at];
      if (next === undefined || !'*?\\}/'.includes(next))
        throw new WordError(`no escape in a pattern [\\${next ?? ''}]`);
      parts.push({ kind: 'text', char: next });
    } else parts.push({ kind: 'text', char });
  }
  return parts;
}

function sourceOf(parts: readonly Part[], longest: boolean): string {
  return parts
    .map((part) => {
      if (part.kind === 'any') return longest ? '.*' : '.*?';
      return part.char === undefined ? '.' : part.char.replace(/[\\^$.*+?()[\]{}|/]/u, '\\$&');
    })
    .join('');
}
