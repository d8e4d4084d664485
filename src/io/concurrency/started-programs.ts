// Child processes that must not outlive this program, however it ends, nor may their own children. Relies on /proc.
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { identityOf, isAlive, ownIdentity, type ProcessIdentity } from './process-identity.ts';

export interface StartedProgram {
  /** Kills the program and all its descendants. */
  kill(): void;
  /** Asks the program and its descendants to end (SIGTERM), waits up to `patience` milliseconds, then kills the rest. Never throws. */
  end(patience: number): Promise<void>;
}

/** An id in a program's environment. Its descendants inherit it, so they can be found even when the program itself has ended. */
export type Mark = string;
const VARIABLE = 'IMAGES_STARTED';
const POLL_MS = 30;

/**
 * Closes the output of a program so many milliseconds after its end: an agent that it started may keep it open for ever. What the program itself has written is
 * read first, however late a busy process comes to it.
 */
export function closeOutputAfterEnd(child: ChildProcess, ms: number): void {
  let late: NodeJS.Timeout | undefined;
  let isClosed = false;
  child.once('exit', () => {
    // Between timers and immediates, Node reads what waits in the pipes.
    late = setTimeout(() => setImmediate(close), ms);
  });
  child.once('close', () => {
    isClosed = true;
    clearTimeout(late);
  });
  const close = (): void => {
    if (isClosed) return;
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
}

let count = 0;

/** The environment for a program, with its mark added. */
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

/** Sets the one listener that is told when the first program starts and when the last one has ended. */
export function whenProgramsRun(listener: () => void): void {
  heard = listener;
}

/** Registers a child with `endStartedPrograms` until it has ended. `mark` is the one in its environment. */
export function startedProgram(child: ChildProcess, mark?: Mark): StartedProgram {
  const { pid } = child;
  const known = new Set<ProcessIdentity>();
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const members = (): readonly number[] => {
    // After it has ended, its pid may belong to another process.
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
      // A process that is just being started is found in the next round, by its mark.
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

/** Kills all registered programs. To be called before this process ends. */
export function endStartedPrograms(): void {
  for (const program of running) program.kill();
  running.clear();
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // The process has ended already, or now runs as another user.
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

/** The pids with this mark, also of orphans. Only in this session, as with Ctrl-C at a terminal: a program with a session of its own (an agent) may stay. */
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

/** The session id: field 6 of /proc/PID/stat (proc(5)), counted from the end of the name, which can contain anything. */
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
