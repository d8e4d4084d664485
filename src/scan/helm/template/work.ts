// What one template may cost. Steps alone do not tell: a step may double a text, or copy a tree whose branches are all the same.
import { RunawayError, TemplateError } from './errors.ts';

/** In characters that are read or written; some seconds at most, and the same on a busy machine. */
const MAX_WORK = 500_000_000;
/** A value of a tree costs as much as so many characters. */
const VALUE = 200;
/** No text of a manifest is this long; Go would go on until its memory is full. */
export const MAX_TEXT = 4 << 20;

/** Rendering never waits, so one count serves all that takes part in it. What is done outside of a template costs what its files do. */
let left = Number.POSITIVE_INFINITY;

/** What all templates of a scan, or of a chart, may cost together. */
export interface WorkBudget {
  readonly left: number;
  take(characters: number): void;
}

/** Runs a template with so much work to spend. */
export function withWork<T>(run: () => T, budget?: WorkBudget): T {
  const given = Math.min(MAX_WORK, budget?.left ?? MAX_WORK);
  left = given;
  try {
    return run();
  } finally {
    budget?.take(given - left);
    left = Number.POSITIVE_INFINITY;
  }
}

/** Throws RunawayError where all is spent. */
export function spendWork(characters: number): void {
  left -= characters;
  if (left < 0) throw new RunawayError('a template works without end');
}

/** For each value of a tree that is walked, and of a list that is copied. */
export function spendValues(count: number): void {
  spendWork(count * VALUE);
}

/** The text, where it is not too long. Throws TemplateError. */
export function boundedText(text: string): string {
  checkLength(text.length);
  spendWork(text.length);
  return text;
}

/** Throws TemplateError before a text of this many characters is made. */
export function checkLength(length: number): void {
  if (!(length <= MAX_TEXT)) throw new TemplateError(`a text would be longer than ${MAX_TEXT >> 20} Mi characters`);
}
