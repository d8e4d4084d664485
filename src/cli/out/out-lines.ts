// Many lines to stdout, without all of them as text at once.
import type { Context } from '../process/context.ts';

const AT_A_TIME = 2000;

/** `lineOf` gives a line without its end. */
export async function outLines<T>(context: Context, items: readonly T[], lineOf: (item: T) => string): Promise<void> {
  for (let at = 0; at < items.length; at += AT_A_TIME) {
    const lines = items.slice(at, at + AT_A_TIME).map((item) => `${lineOf(item)}\n`);
    await context.out(lines.join(''));
  }
}
