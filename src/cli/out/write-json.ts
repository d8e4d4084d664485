// How --json looks: two spaces, one value, a newline at its end. What terminals obey is escaped, also beyond ASCII.
import type { Context } from '../process/context.ts';
import { safeJson } from '../process/safe-text.ts';
import { outLines } from './out-lines.ts';

/** One value, however large as text at once: long lists are for `writeJsonList`. */
export async function writeJson(context: Context, value: unknown): Promise<void> {
  await context.out(`${jsonText(value)}\n`);
}

/** The same for a list that may be long, without all of it as text at once. */
export async function writeJsonList<T>(
  context: Context,
  items: readonly T[],
  jsonOf: (item: T) => unknown,
): Promise<void> {
  if (items.length === 0) return await writeJson(context, []);
  await context.out('[\n');
  let left = items.length;
  await outLines(context, items, (item) => {
    left--;
    return `  ${jsonText(jsonOf(item)).replaceAll('\n', '\n  ')}${left === 0 ? '' : ','}`;
  });
  await context.out(']\n');
}

function jsonText(value: unknown): string {
  return safeJson(JSON.stringify(value, null, 2));
}
