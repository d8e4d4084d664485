// Secrets that the user gives: from standard input, or typed on a terminal without being shown.
import { ImagesError } from '../../oci/errors.ts';
import type { Context } from './context.ts';

/** In bytes. */
const MAX_SECRET = 64 * 1024;

/** All of standard input, without the line end. `example`: a command. Errors: USAGE (nothing there, or more than a secret can have). */
export async function secretFromInput(context: Pick<Context, 'stdin'>, example: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of context.stdin) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_SECRET) throw new ImagesError('USAGE', 'standard input is too long for a password');
  }
  const secret = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw new ImagesError('USAGE', 'there is no password on standard input', {
    hint: `For example: ${example} < FILE`,
  });
}

/** Returns `undefined` if nobody can type: input or error output is no terminal. A hidden answer is not shown while it is typed. */
export async function askForText(
  context: Context,
  question: string,
  { hidden = false } = {},
): Promise<string | undefined> {
  if (process.stdin.isTTY !== true || !context.stderr.isTTY) return undefined;
  const { createInterface } = await import('node:readline/promises');
  const { Writable } = await import('node:stream');
  context.stderr.write(question);
  const shown = new Writable({
    write: (text: Uint8Array, _, done) => {
      if (!hidden) context.stderr.write(Buffer.from(text).toString());
      done();
    },
  });
  // As a terminal, so that readline shows what is typed: into `shown`.
  const lines = createInterface({ input: process.stdin, output: shown, terminal: true });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  lines.once('line', resolve);
  lines.once('close', () => resolve(undefined));
  lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await promise;
  } finally {
    lines.close();
    if (hidden) context.stderr.write('\n');
  }
}
