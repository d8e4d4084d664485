// Writes many lines to stdout, in portions, without holding the whole text in memory.
import type { Context } from '../process/context.ts';

const AT_A_TIME = 2000;

/** `lineOf` returns a line without its line end. */
export async function outLines<T>(context: Context, items: readonly T[], lineOf: (item: T) => string): Promise<void> {
  for (let at = 0; at < items.length; at += AT_A_TIME) {
    const lines = items.slice(at, at + AT_A_TIME).map((item) => `${lineOf(item)}\n`);
    await context.out(lines.join(''));
  }
}
