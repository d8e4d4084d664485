// Shows a copy on stderr while it runs: bars on a terminal, plain lines elsewhere.
import type { Context } from '../process/context.ts';
import { lineReporter, type Reporter } from './lines.ts';

export async function createReporter(context: Context): Promise<Reporter> {
  if (!context.stderr.isTTY) return lineReporter(context.note);
  const { barReporter } = await import('./bars.ts');
  return barReporter(context.stderr);
}
