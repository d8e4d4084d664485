// How SIGINT, SIGTERM and SIGHUP end the program: with cleanup if there is something to clean up, and soon in any case.
import { endStartedPrograms, someProgramRuns, whenProgramsRun } from '../../io/concurrency/started-programs.ts';
import { ImagesError } from '../../oci/errors.ts';

export interface Interruption {
  /** Aborted by the first signal: the command stops at the next safe point. */
  readonly signal: AbortSignal;
  /**
   * Runs a long computation that leaves nothing behind. Meanwhile signals have their default action: the kernel ends the process at once. A handler would not
   * run, because the thread computes. While a started program runs, the thread only waits, and signals are handled.
   */
  whileComputing<T>(run: () => Promise<T>): Promise<T>;
  /** Lifts the time limit for ending, because work for others (requests to a server) is still in progress. */
  takeTime(): void;
  /** SIGHUP calls `act` from now on, and ends the process only if that returns false. */
  onHangUp(act: () => boolean): void;
  /** SIGQUIT calls `act` from now on, and ends nothing. */
  onQuit(act: () => void): void;
  /** The second signal calls `act`, and the third one ends the process at once. */
  onSecond(act: () => void): void;
  /** Ends the process with the status for the signal. */
  end(): never;
}

const STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Name = keyof typeof STATUS;
const NAMES = Object.keys(STATUS) as Name[];

/** In milliseconds: the time limit for ending. Cleanup that does not wait for others is faster. */
const TIME_TO_END = 700;

/** Installs the handlers. The second signal ends the process at once. */
export function listenForSignals(): Interruption {
  const aborter = new AbortController();
  let received: Name = 'SIGINT';
  let takesTime = false;
  let computing = 0;
  let hangUp: (() => boolean) | undefined;
  let second: (() => void) | undefined;
  const end = (): never => endProcess(received);
  const onSignal = (name: Name): void => {
    if (name === 'SIGHUP' && hangUp?.()) return;
    received = name;
    if (aborter.signal.aborted) {
      const act = second ?? end;
      second = undefined;
      act();
      return;
    }
    aborter.abort(new ImagesError('ABORTED', 'interrupted'));
    if (!takesTime) setTimeout(end, TIME_TO_END).unref();
  };
  let listens = false;
  // With started programs, signals must be handled even during computation: the kernel would not end these programs.
  const listen = (): void => {
    const wanted = computing === 0 || someProgramRuns();
    if (wanted === listens) return;
    listens = wanted;
    for (const name of NAMES) {
      // The default action would end a process that is only to read its configuration again.
      if (!wanted && name === 'SIGHUP' && hangUp) continue;
      process.off(name, onSignal);
      if (wanted) process.on(name, onSignal);
    }
  };
  listen();
  whenProgramsRun(listen);
  process.on('exit', endStartedPrograms);
  return {
    signal: aborter.signal,
    whileComputing: async (run) => {
      aborter.signal.throwIfAborted();
      computing += 1;
      listen();
      try {
        return await run();
      } finally {
        computing -= 1;
        listen();
      }
    },
    takeTime: () => {
      takesTime = true;
    },
    onHangUp: (act) => {
      hangUp = act;
    },
    onQuit: (act) => void process.on('SIGQUIT', act),
    onSecond: (act) => {
      second = act;
    },
    end,
  };
}

/**
 * `process.exit` waits for Node's threads. A system call can block one for ever: opening a pipe without a peer, resolving a name without an answer. Then the
 * process is killed by the signal instead.
 */
function endProcess(name: Name): never {
  if (process.getActiveResourcesInfo().some((type) => /^(?:FS|Get(?:Addr|Name)Info)Req/.test(type))) {
    // Killed by a signal, the process emits no `exit`.
    endStartedPrograms();
    process.removeAllListeners(name);
    process.kill(process.pid, name);
  }
  process.exit(STATUS[name]);
}
