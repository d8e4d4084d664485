// Matches wildcard patterns in time proportional to pattern times text, for any input: all paths through a pattern are followed simultaneously.
// A regular expression tries them one after the other, which for `*a*a*a*a*b` takes far too long.

/** One state of a pattern. The pattern matches when the walk is past the last state. */
export interface State {
  /** Such a character leads to the next state. */
  readonly passes?: (char: string) => boolean;
  /** Such a character keeps the state. */
  readonly stays?: (char: string) => boolean;
  /** Relative indexes of states that are reached without a character. */
  readonly skips?: readonly number[];
}

export function literalState(char: string): State {
  return { passes: (other) => other === char };
}

/** Matches any number of such characters. */
export function repeatedState(stays: (char: string) => boolean): State {
  return { stays, skips: [1] };
}

export interface Walk {
  /** Index of the first character; default 0. */
  readonly from?: number;
  /** Whether a match may begin at any character. `reached` is then called for the end of each match. */
  readonly isAnywhere?: boolean;
  /** Called with the index after each match. */
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
