// Collectors against those who use the blob that is collected, or bring it again: in memory, in every order of their calls, with one change between the
// actors; with `npm run soak` in all orders of two, and more of three. Each order is a race of its own.
import { describe, expect, it } from 'vitest';
import { rounds, timeFor } from '../../../test/testing/soak.ts';
import { type Counts, type Part, type RaceOptions, race } from '../testing/collect-scenes.ts';
import { ALL, explore } from '../testing/interleavings.ts';

const pushers = ['use', 'use durably', 'put', 'write', 'commit', 'build'] as const;
const isSoak = rounds(1) > 1;

/** Both a blob that is on disk, and one that was built without waiting for it. */
async function raced(
  parts: readonly Part[],
  switches: number,
  kinds: readonly Omit<RaceOptions, 'counts'>[] = [{ isBuilt: false }, { isBuilt: true }],
): Promise<Counts & { readonly orders: number }> {
  const counts: Counts = { deleted: 0, spared: 0, acknowledged: 0 };
  let orders = 0;
  for (const kind of kinds) {
    orders += (await explore(() => race(parts, { ...kind, counts }), switches)).ended;
  }
  return { orders, ...counts };
}

describe('a blob that was acknowledged is there, whole, and what is trusted is on disk', {
  timeout: timeFor(60_000),
}, () => {
  it.each(pushers)('after a race of a collector with [%s]', async (pusher) => {
    const { orders, deleted, spared, acknowledged } = await raced(['collector', pusher], isSoak ? ALL : 1);
    expect(orders).toBeGreaterThan(20);
    for (const count of [deleted, spared, acknowledged]) expect(count).toBeGreaterThan(0);
  });

  it('after a race with docker-registry, if it was named before the collector looked for the last time', async () => {
    const thirds: readonly (readonly Part[])[] = isSoak
      ? [[], ...pushers.map((one) => [one]), ['looking']]
      : [[], ['use']];
    for (const third of thirds) {
      const switches = third.length > 0 ? 1 : 2;
      const { deleted, spared, acknowledged } = await raced(['looking', 'foreign', ...third], isSoak ? ALL : switches);
      for (const count of [deleted, spared, acknowledged]) expect(count).toBeGreaterThan(0);
    }
  });

  it.each(pushers)('after a race of a collector that was killed, at any step, with [%s]', async (pusher) => {
    // Together the pushers meet every step; each of them in `npm run soak`.
    const first = isSoak ? 0 : pushers.indexOf(pusher);
    for (let killedAt = 3 + first; killedAt < 18; killedAt += isSoak ? 1 : pushers.length)
      await raced([{ killedAt }, pusher], isSoak ? ALL : 1);
  });

  it('after a race of whoever tidies up a mark that a killed collector left, and who brings the blob again', async () => {
    for (const pusher of isSoak ? pushers : (['put', 'build'] as const)) {
      const { orders } = await raced(['walk', pusher], isSoak ? ALL : 2, [{ isBuilt: true, isLeft: true }]);
      expect(orders).toBeGreaterThan(2);
    }
  });

  const thirds: readonly Part[] = isSoak ? ['collector', 'collection', 'reader', ...pushers] : ['collection'];
  it.each(thirds)('after a race of a collector with any of them and [%s]', async (third) => {
    for (const pusher of isSoak ? pushers : (['use', 'commit'] as const)) {
      const { deleted, acknowledged } = await raced(['collector', pusher, third], isSoak ? 2 : 1);
      for (const count of [deleted, acknowledged]) expect(count).toBeGreaterThan(0);
    }
  });
});
