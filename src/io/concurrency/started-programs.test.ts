import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { identityOf, isAlive } from './process-identity.ts';
import { closeOutputAfterEnd, markedEnvironment, type StartedProgram, startedProgram } from './started-programs.ts';

interface Begun {
  readonly child: ChildProcess;
  readonly program: StartedProgram;
  /** The processes whose numbers the script has printed. */
  readonly identities: readonly string[];
}

/** Starts a script that prints the numbers of `amount` processes, a line each. */
async function begin(script: string, amount: number): Promise<Begun> {
  const { env, mark } = markedEnvironment(process.env);
  const child = spawn('sh', ['-c', script], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const program = startedProgram(child, mark);
  const identities: string[] = [];
  for await (const line of createInterface({ input: child.stdout as Readable })) {
    identities.push(identityOf(Number(line)) ?? expect.fail(`it has ended [${line}]`));
    if (identities.length === amount) break;
  }
  return { child, program, identities };
}

const alive = ({ identities }: Begun): number => identities.filter(isAlive).length;

/** Three processes: a background child, one whose parent has ended, and one that the shell waits for. */
const FAMILY = `sleep 60 & echo $!
(sleep 60 & echo $!)
sh -c 'echo $$; sleep 60; :'`;

describe('a started program', () => {
  it('is killed with all that it has started, also what has no parent any more', async () => {
    const begun = await begin(FAMILY, 3);
    expect(alive(begun)).toBe(3);
    const closed = once(begun.child, 'exit');
    begun.program.kill();
    await closed;
    await eventually(() => alive(begun) === 0);
  });

  it('has time to end, and children that do not are killed, even after their parent has ended', async () => {
    const begun = await begin(
      `(trap '' TERM; env -i sh -c 'trap "" TERM; echo $$; while :; do sleep 0.1; done') & ${FAMILY}`,
      4,
    );
    await begun.program.end(200);
    expect(begun.child.signalCode).toBe('SIGTERM');
    await eventually(() => alive(begun) === 0);
  });

  it('that ends in order when it is asked is not killed', async () => {
    const { child, program } = await begin('trap "exit 7" TERM; echo $$; while :; do sleep 0.05; done', 1);
    const closed = once(child, 'exit');
    await program.end(20_000);
    expect(await closed).toEqual([7, null]);
  });

  it('is killed without programs that others have started, or that have a session of their own', async () => {
    const other = await begin(FAMILY, 3);
    // The second line comes when `setsid` has ended. Until then it is the parent of what it started, which is killed as a descendant.
    const begun = await begin(`setsid -f sh -c 'echo $$; exec sleep 60'; echo $$; sleep 60`, 2);
    begun.program.kill();
    await once(begun.child, 'exit');
    expect([alive(other), alive(begun)]).toEqual([3, 1]);
    for (const identity of begun.identities.filter(isAlive)) process.kill(Number.parseInt(identity, 10));
    other.program.kill();
    await eventually(() => alive(other) + alive(begun) === 0);
  });
});

it('the output of a program that has ended is closed soon, and what it wrote is read before, however late', async () => {
  const child = spawn('sh', ['-c', 'sleep 60 & echo $!; echo last'], { stdio: ['ignore', 'pipe', 'ignore'] });
  closeOutputAfterEnd(child, 0);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  // This process is busy until the program has ended.
  while (!readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') Z '));
  await once(child, 'close');
  expect(text).toMatch(/^\d+\nlast\n$/);
  // What it started still holds the output open, or this would throw.
  process.kill(Number.parseInt(text, 10));
});
