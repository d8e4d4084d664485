// Asks the user a question, where there is a terminal.
import type { Context } from './context.ts';

/** Returns `undefined` if nobody can answer: input or error output is no terminal. Anything but `y` or `yes` is no. */
export async function askOnTerminal(context: Context, question: string): Promise<boolean | undefined> {
  if (process.stdin.isTTY !== true || !context.stderr.isTTY) return undefined;
  context.stderr.write(`${question} [y/N] `);
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin });
  try {
    // Without `question`, which would need an output: the end of input is no, too.
    for await (const line of lines) return /^\s*y(es)?\s*$/i.test(line);
    return false;
  } finally {
    lines.close();
  }
}
