// The limit for the work of one template. Counting steps is not enough: one step may double a text, or copy a tree that shares its branches.
import { RunawayError, TemplateError } from './errors.ts';

/** In characters that are read or written. Takes some seconds at most, and does not depend on the machine's load. */
const MAX_WORK = 500_000_000;
/** Cost of one value in a tree, in characters. */
const VALUE = 200;
/** Longer than any text in a manifest. Go itself has no limit but its memory. */
export const MAX_TEXT = 4 << 20;

/** What is left for the current template. Rendering is synchronous, so one counter serves all code. Outside of templates, work is charged by the size of files. */
let left = Number.POSITIVE_INFINITY;

/** The budget that all templates of a scan, or of a chart, share. */
export interface WorkBudget {
  readonly left: number;
  take(characters: number): void;
}

/** Runs a template with a limit for its work. */
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

/** Throws RunawayError if the limit is exceeded. */
export function spendWork(characters: number): void {
  left -= characters;
  if (left < 0) throw new RunawayError('a template works without end');
}

/** For each value of a tree that is walked, and of a list that is copied. */
export function spendValues(count: number): void {
  spendWork(count * VALUE);
}

/** Returns the text. Throws TemplateError if it is too long. */
export function boundedText(text: string): string {
  checkLength(text.length);
  spendWork(text.length);
  return text;
}

/** Throws TemplateError if a text of this length is too long. Called before the text is made. */
export function checkLength(length: number): void {
  if (!(length <= MAX_TEXT)) throw new TemplateError(`a text would be longer than ${MAX_TEXT >> 20} Mi characters`);
}
