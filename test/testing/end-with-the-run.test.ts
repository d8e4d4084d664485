import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';

/** A run: it starts one program in a process group of its own, says which, and goes on. */
const RUN = `
import { spawn } from 'node:child_process';
import { setup } from ${JSON.stringify(join(import.meta.dirname, 'end-with-the-run.ts'))};
setup();
const [program, ...args] = process.argv.slice(1);
console.log(spawn(program, args, { detached: true, stdio: 'ignore' }).pid);
setInterval(() => undefined, 1000);
`;

async function started(...program: readonly string[]): Promise<{ readonly run: ChildProcess; readonly pid: number }> {
  const run = spawn(process.execPath, ['--input-type=module', '--eval', RUN, ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void run.kill('SIGKILL'));
  const [line] = await once(run.stdout, 'data');
  return { run, pid: Number(`${line}`) };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('what a run started ends with it, however that ends, and nothing of another run', async () => {
  const [ended, other] = await Promise.all([started('sleep', '60'), started('sleep', '60')]);
  expect(isRunning(ended.pid)).toBe(true);
  ended.run.kill('SIGKILL');
  await eventually(() => !isRunning(ended.pid));
  expect(isRunning(other.pid)).toBe(true);
  other.run.kill('SIGINT');
  await eventually(() => !isRunning(other.pid));
});
