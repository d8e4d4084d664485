// Collectors against those who use the blobs that are collected, or bring them again: in a directory, in one process and across processes. The five
// processes take half a second each to start; `npm run soak` has four times as many blobs, and many rounds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { rounds, timeFor } from '../../../test/testing/soak.ts';
import { ASIDE } from '../layout/store-keys.ts';
import { testDirectory } from '../testing/directories.ts';
import { afterwards, collectAll, oldBlobs, pushAll } from '../testing/disk-race.ts';
import { diskStore } from './staged-store.ts';

const PROCESS = fileURLToPath(new URL('../testing/race-process.ts', import.meta.url));
const COUNT = rounds(1) > 1 ? 100 : 24;
const nothing = { lost: [], aside: [] };

it('loses nothing that was acknowledged, in one process', { timeout: timeFor(60_000) }, async ({ annotate }) => {
  const totals = { races: 0, deleted: 0, acknowledged: 0 };
  for (let round = 0; round < rounds(1); round++) {
    await using directory = await testDirectory();
    await oldBlobs(directory.path, COUNT);
    const begin = Promise.withResolvers<void>();
    const collectors = [1, 2].map(() => collectAll(diskStore(directory.path), () => begin.promise));
    await delay(100);
    begin.resolve();
    const pushers = [1, 2].map(() => pushAll(diskStore(directory.path), COUNT));
    const acknowledged = (await Promise.all(pushers)).flat();
    const deleted = (await Promise.all(collectors)).reduce((sum, one) => sum + one, 0);
    expect(await afterwards(directory.path, acknowledged)).toEqual(nothing);
    totals.races += COUNT;
    totals.deleted += deleted;
    totals.acknowledged += acknowledged.length;
  }
  await annotate(JSON.stringify(totals));
});

it('loses nothing that was acknowledged, across processes, of which one is killed', {
  timeout: timeFor(60_000),
}, async ({ annotate }) => {
  const totals = { races: 0, deleted: 0, acknowledged: 0, killed: 0, leftAside: 0 };
  for (let round = 0; round < rounds(1); round++) {
    await using directory = await testDirectory();
    await oldBlobs(directory.path, COUNT);
    const roles = ['collect', 'collect', 'collect', 'push', 'push'];
    const processes = await Promise.all(roles.map((role) => begun(directory.path, role)));
    const results = processes.map((one) => one.go());
    await delay(Math.random() * 60);
    if (processes[0]?.kill()) totals.killed += 1;
    const done = await Promise.all(results);
    totals.leftAside += (await diskStore(directory.path).objects.children(ASIDE)).length;
    const acknowledged = done.flatMap((one) => one?.acknowledged ?? []);
    expect(await afterwards(directory.path, acknowledged)).toEqual(nothing);
    totals.races += COUNT;
    totals.deleted += done.reduce((sum, one) => sum + (one?.deleted ?? 0), 0);
    totals.acknowledged += acknowledged.length;
  }
  await annotate(JSON.stringify(totals));
});

interface Done {
  readonly deleted: number;
  readonly acknowledged: readonly number[];
}

/** A process that is ready. `go` gives what it has done, `undefined` if it was killed. */
async function begun(directory: string, role: string) {
  const child = spawn(process.execPath, [PROCESS, directory, role, `${COUNT}`], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = once(child, 'exit');
  expect((await lines.next()).value).toBe('ready');
  return {
    go: async (): Promise<Done | undefined> => {
      child.stdin.write('go\n');
      const { value } = await lines.next();
      const [status, signal] = await ended;
      expect(signal ?? status).toBe(value === undefined ? 'SIGKILL' : 0);
      return value === undefined ? undefined : (JSON.parse(value) as Done);
    },
    kill: () => child.kill('SIGKILL'),
  };
}
