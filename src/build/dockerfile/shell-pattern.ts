// The patterns of `${name#…}`, `${name%…}` and `${name/…/…}`: `*`, `?`, and a backslash to escape (POSIX.1-2017, 2.13, without brackets).
import { literalState, repeatedState, type State, walkPattern } from '../wildcards.ts';
import { WordError } from './word-error.ts';

export interface PatternMatcher {
  withoutStart(value: string, longest: boolean): string;
  withoutEnd(value: string, longest: boolean): string;
  /** Replaces the first match, or all matches; each is as long as possible. */
  replace(value: string, by: string, all: boolean): string;
}

/** Errors: WordError (invalid escape). */
export function patternMatcher(pattern: string): PatternMatcher {
  const states = partsOf(pattern).map(stateOf);
  const reversed = states.toReversed();
  return {
    withoutStart: (value, longest) => {
      const chars = [...value];
      return chars.slice(endOf(states, chars, { longest }) ?? 0).join('');
    },
    withoutEnd: (value, longest) => {
      const chars = [...value].reverse();
      return chars
        .slice(endOf(reversed, chars, { longest }) ?? 0)
        .reverse()
        .join('');
    },
    replace: (value, by, all) => {
      const chars = [...value];
      const starts = startsOf(reversed, chars);
      let replaced = '';
      let at = 0;
      for (const start of starts) {
        if (start < at) continue;
        const end = endOf(states, chars, { from: start, longest: true }) ?? start;
        replaced += chars.slice(at, start).join('') + by;
        // An empty match consumes no character, so the next one is copied: the search must advance.
        if (end === start) replaced += chars[start] ?? '';
        at = Math.max(end, start + 1);
        if (!all) break;
      }
      return replaced + chars.slice(at).join('');
    },
  };
}

/** The end of the shortest or longest match that begins at `from`. */
function endOf(
  states: readonly State[],
  chars: readonly string[],
  { from = 0, longest }: { readonly from?: number; readonly longest: boolean },
): number | undefined {
  const ends: number[] = [];
  walkPattern(states, chars, { from, reached: (at) => ends.push(at) });
  return longest ? ends.at(-1) : ends[0];
}

/** All offsets at which a match begins, found by walking the text backwards once. Trying a match at each offset would be quadratic. */
function startsOf(reversed: readonly State[], chars: readonly string[]): readonly number[] {
  const starts: number[] = [];
  walkPattern(reversed, chars.toReversed(), { isAnywhere: true, reached: (at) => starts.push(chars.length - at) });
  return starts.reverse();
}

const inLine = (char: string): boolean => char !== '\n';

function stateOf(part: Part): State {
  if (part.kind === 'any') return repeatedState(inLine);
  return part.char === undefined ? { passes: inLine } : literalState(part.char);
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
