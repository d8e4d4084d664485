// Tells when the quota of a registry that runs is nearly reached.

import { inBinaryUnits } from '../../io/text/size.ts';
import type { OnNotice } from '../../observe/observation.ts';
import type { Space } from '../../storage/quota/space.ts';

/** In milliseconds. */
const EVERY_MS = 60_000;
const NEARLY = 0.9;

export interface WatchSpaceOptions {
  readonly everyMs?: number;
  /** In bytes; `undefined` while there is none. */
  readonly limit: () => number | undefined;
  readonly onNotice: OnNotice;
}

/**
 * Looks now and from time to time; tells once, and again after there was room. What is used is counted at the start, and when there is a limit again, because
 * others may have written to the store who know nothing of the limit; and when the last count is an hour old.
 */
export function watchSpace(space: Space, { everyMs = EVERY_MS, limit, onNotice }: WatchSpaceOptions): Disposable {
  let isTold = false;
  let isCounted = false;
  async function look(): Promise<void> {
    const most = limit();
    if (most === undefined) {
      isCounted = false;
      return;
    }
    const used = await (isCounted ? space.used() : space.recount());
    isCounted = true;
    const isNearlyFull = used >= most * NEARLY;
    if (isNearlyFull && !isTold) {
      onNotice(
        `${inBinaryUnits(used)} of the quota of ${inBinaryUnits(most)} are used: pushes will be refused. Remove images, then \`images lreg_gc\`, or raise quota in registry.toml`,
        'warn',
      );
    }
    isTold = isNearlyFull;
  }
  // What prevents counting is told to those who write.
  const looking = () => void look().catch(() => undefined);
  looking();
  const timer = setInterval(looking, everyMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
