// Patterns with wildcards, matched in time that grows with pattern times text, whatever they are: all ways through a pattern are followed at once.
// A regular expression tries them one after the other, which for `*a*a*a*a*b` goes on for longer than anybody waits.

/** One place in a pattern; the last one's end is the pattern's end. */
export interface State {
  /** Such a character leads to the next place. */
  readonly passes?: (char: string) => boolean;
  /** Such a character leads nowhere. */
  readonly stays?: (char: string) => boolean;
  /** So many places further on, without a character. */
  readonly skips?: readonly number[];
}

export function literalState(char: string): State {
  return { passes: (other) => other === char };
}

/** Any number of such characters. */
export function repeatedState(stays: (char: string) => boolean): State {
  return { stays, skips: [1] };
}

export interface Walk {
  /** Where to begin; default: the first character. */
  readonly from?: number;
  /** A match may begin at any character: `reached` is told where some match ends. */
  readonly isAnywhere?: boolean;
  /** Called with each place in the text that a match ends before. */
  readonly reached: (at: number) => void;
}

export function walkPattern(states: readonly State[], chars: readonly string[], walk: Walk): void {
  const { from = 0, isAnywhere = false, reached } = walk;
  const seen = new Int32Array(states.length + 1).fill(-1);
  let current: number[] = [];
  const add = (list: number[], state: number, at: number): void => {
    if (seen[state] === at) return;
    seen[state] = at;
    list.push(state);
  };
  const close = (list: number[], at: number): void => {
    for (let index = 0; index < list.length; index++) {
      const state = list[index] as number;
      for (const skip of states[state]?.skips ?? []) add(list, state + skip, at);
    }
    if (seen[states.length] === at) reached(at);
  };
  add(current, 0, from);
  close(current, from);
  for (let at = from; at < chars.length && (current.length > 0 || isAnywhere); at++) {
    const char = chars[at] as string;
    const next: number[] = [];
    for (const state of current) {
      if (states[state]?.passes?.(char)) add(next, state + 1, at + 1);
      if (states[state]?.stays?.(char)) add(next, state, at + 1);
    }
    if (isAnywhere) add(next, 0, at + 1);
    close(next, at + 1);
    current = next;
  }
}

export function matchesWhole(states: readonly State[], text: string): boolean {
  const chars = [...text];
  let isWhole = false;
  walkPattern(states, chars, {
    reached: (at) => {
      if (at === chars.length) isWhole = true;
    },
  });
  return isWhole;
}
