// How --json looks: two spaces, one value, a newline at its end.
import type { Context } from './context.ts';

export async function writeJson(context: Context, value: unknown): Promise<void> {
  await context.out(`${JSON.stringify(value, null, 2)}\n`);
}
