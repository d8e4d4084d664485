// Programs that this one starts for an answer or a file: they end with it, however it ends, and with them what they have started. Relies on /proc.
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { identityOf, isAlive, ownIdentity, type ProcessIdentity } from './process-identity.ts';

export interface StartedProgram {
  /** Kills it with all that it has started. */
  kill(): void;
  /** Asks it and all that it has started to end, waits for that for so many milliseconds, then kills what is left. Never throws. */
  end(patience: number): Promise<void>;
}

/** Which process was started for whom: what a program has started keeps it, also when that program has ended before. */
export type Mark = string;
const VARIABLE = 'IMAGES_STARTED';
const POLL_MS = 30;

let count = 0;

/** The environment for a program, with its mark. */
export function markedEnvironment<T extends Readonly<Record<string, string | undefined>>>(
  env: T,
): { readonly env: T & Record<typeof VARIABLE, string>; readonly mark: Mark } {
  count += 1;
  const mark = `${ownIdentity()}.${count}`;
  return { env: { ...env, [VARIABLE]: mark }, mark };
}

const running = new Set<StartedProgram>();
let heard = (): void => {};

export function someProgramRuns(): boolean {
  return running.size > 0;
}

/** Whoever has to know when the first one is started, and the last one has ended. One listener. */
export function whenProgramsRun(listener: () => void): void {
  heard = listener;
}

/** Until it has ended it is among those that `endStartedPrograms` ends. `mark`: of its environment. */
export function startedProgram(child: ChildProcess, mark?: Mark): StartedProgram {
  const { pid } = child;
  const known = new Set<ProcessIdentity>();
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const members = (): readonly number[] => {
    // Another process may have its number when it has ended.
    const found = pid === undefined || hasEnded() ? [] : [pid, ...descendants(pid)];
    for (const each of [...found, ...(mark === undefined ? [] : marked(mark))]) {
      const identity = identityOf(each);
      if (identity !== undefined) known.add(identity);
    }
    return [...known].filter(isAlive).map((identity) => Number.parseInt(identity, 10));
  };
  let isEnding = false;
  const program: StartedProgram = {
    kill() {
      // Who is just being started is found in the next round, by its mark.
      for (let round = 0; round < 5; round += 1) {
        const left = members();
        if (left.length === 0) break;
        signalAll(left, 'SIGKILL');
      }
    },
    async end(patience) {
      isEnding = true;
      signalAll(members(), 'SIGTERM');
      for (let waited = 0; waited < patience && members().length > 0; waited += POLL_MS)
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      program.kill();
      leave(program);
    },
  };
  if (pid === undefined) return program;
  running.add(program);
  heard();
  child.once('exit', () => {
    if (!isEnding) leave(program);
  });
  return program;
}

function leave(program: StartedProgram): void {
  running.delete(program);
  heard();
}

/** For who ends the process: before. */
export function endStartedPrograms(): void {
  for (const program of running) program.kill();
  running.clear();
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself, or has become another user's.
    }
  }
}

function descendants(pid: number): readonly number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const texts = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'));
    const children = texts.flatMap((text) => text.match(/\d+/g) ?? []).map(Number);
    return children.flatMap((each) => [each, ...descendants(each)]);
  } catch {
    return [];
  }
}

/** Also those whose parents have ended; in this session, as at a terminal's Ctrl-C: who has a session of his own, an agent, is to stay. */
function marked(mark: Mark): readonly number[] {
  const wanted = `${VARIABLE}=${mark}`;
  const session = sessionOf(process.pid);
  return readable(() => readdirSync('/proc'), [])
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) =>
      readable(() => readFileSync(`/proc/${pid}/environ`, 'latin1'), '')
        .split('\0')
        .includes(wanted),
    )
    .filter((pid) => sessionOf(pid) === session);
}

/** Field 6 of /proc/PID/stat (proc(5)), counted after the name, which can hold anything. */
function sessionOf(pid: number): string | undefined {
  const text = readable(() => readFileSync(`/proc/${pid}/stat`, 'latin1'), '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[3];
}

function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
