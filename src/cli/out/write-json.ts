// Output of --json: one value, indented by two spaces, with a newline at the end. Control characters are escaped, including those beyond ASCII.
import type { Context } from '../process/context.ts';
import { safeJson } from '../process/safe-text.ts';
import { outLines } from './out-lines.ts';

/** Writes one value, with its whole text in memory. For long lists use `writeJsonList`. */
export async function writeJson(context: Context, value: unknown): Promise<void> {
  await context.out(`${jsonText(value)}\n`);
}

/** Writes a list in portions, without holding the whole text in memory. */
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

/** The text of a value, without a line end. */
export function jsonText(value: unknown): string {
  return safeJson(JSON.stringify(value, null, 2));
}
