// What tests started ends with the run, however that ends: VMs and registries have process groups of their own, which neither Ctrl-C nor the end of a worker reaches.
// Whatever is started below this process has the run's name in its environment. A shell, which waits for the end of a pipe that only this process holds, then ends
// all that still has it: asked first, killed after some seconds.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';

const RUN = 'IMAGES_TEST_RUN';

/** Needs Linux's /proc; elsewhere nothing is found. `$1` is the variable with its value. */
const ENDING = `
cat >/dev/null
for round in 1 2 3 4 5 6 7 8 9 10; do
  found=$(grep -lszxF "$1" /proc/[0-9]*/environ | cut -d/ -f3)
  [ "$found" ] || exit
  [ $round -gt 6 ] && signal=KILL || signal=TERM
  kill -s $signal $found 2>/dev/null
  sleep 0.5
done`;

/** Called by Vitest once, before it starts its workers. */
export function setup(): void {
  const id = randomUUID();
  // The shell itself, and one of a run inside another one, must not have the name.
  const { [RUN]: _outer, ...env } = process.env;
  process.env[RUN] = id;
  const shell = spawn('sh', ['-c', ENDING, 'sh', `${RUN}=${id}`], {
    detached: true,
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => undefined);
  shell.unref();
  const { stdin } = shell;
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
}
