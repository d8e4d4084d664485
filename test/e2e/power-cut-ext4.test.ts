// Power cuts on a real ext4 with a journal, where one sync of a folder stands for many (docs/decisions/one-sync-for-many-names.md): what had been acknowledged at a moment is held against
// what the device may have held at that moment (test/power-cut/logged-disk.ts). The other power cuts are simulated (power-cut.test.ts).
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { until } from '../peers/process.ts';
import { newWorld } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';
import { canLogDisk, loggedDisk } from '../power-cut/logged-disk.ts';
import { promises } from '../power-cut/promises.ts';
import { rounds, timeFor } from '../testing/soak.ts';

type World = Awaited<ReturnType<typeof newWorld>>;

async function started(world: World, directory: string) {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const server = world.startImages(['serve', `--listen=127.0.0.1:${port}`, `--data=${join(directory, 'store')}`]);
  server.stderr?.resume();
  server.stdout?.resume();
  await until(async () => (await fetch(`${base}/v2/`)).ok);
  return {
    base,
    kill: async () => {
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
    },
  };
}

const SURVIVING = { nothing: () => false, half: () => Math.random() < 0.5, all: () => true };

describe.skipIf(!canLogDisk)('a power cut on a real ext4 (skipped where no device can be logged)', () => {
  it('loses nothing that had been acknowledged at that moment', { timeout: timeFor(120_000) }, async () => {
    await using world = await newWorld();
    await using disk = await loggedDisk();
    const server = await started(world, disk.path);
    const promised = promises(Math.random);
    let isOver = false;
    const clients = ['team/a', 'team/b', 'team/c'].map((repository) =>
      promised.run(server.base, repository, () => isOver),
    );
    const running = Promise.all(clients);
    const cuts: { readonly count: number; readonly position: number }[] = [];
    for (let round = 0; round < rounds(2); round++) {
      const enough = promised.count() + 20;
      await Promise.race([running, until(async () => promised.count() >= enough, 60)]);
      await delay(Math.random() * 20);
      // In this order: what is promised between the two does not count.
      const count = promised.count();
      cuts.push({ count, position: disk.position() });
    }
    isOver = true;
    await server.kill();
    await running;
    expect(promised.count()).toBeGreaterThan(20);
    for (const { count, position } of cuts) {
      for (const survives of Object.values(SURVIVING)) {
        await using after = await disk.after(position, survives);
        const again = await started(world, after.path);
        try {
          await promised.check(again.base, count);
        } finally {
          await again.kill();
        }
      }
    }
  });
});
