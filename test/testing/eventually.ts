// Waits for a condition, however long a busy machine takes.
import { setTimeout } from 'node:timers/promises';

/** Resolves with the first truthy value of the condition. Only the test's own limit ends it, because `vi.waitUntil` gives up after a second, which is short under load. */
export async function eventually<T>(condition: () => T | Promise<T>): Promise<T> {
  for (;;) {
    const result = await condition();
    if (result) return result;
    await setTimeout(10);
  }
}
