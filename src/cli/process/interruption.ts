// How SIGINT, SIGTERM and SIGHUP end the program: in order where there is something to put in order, soon in any case.
import { endStartedPrograms, someProgramRuns, whenProgramsRun } from '../../io/concurrency/started-programs.ts';
import { ImagesError } from '../../oci/errors.ts';

export interface Interruption {
  /** Aborted by the first signal: the command stops where nothing breaks. */
  readonly signal: AbortSignal;
  /**
   * Runs what computes for long and leaves nothing behind: meanwhile signals do what the kernel has them do, which is to end the process at once.
   * A thread that computes hears no signal that it handles itself. While a program runs that was started, it only waits.
   */
  whileComputing<T>(run: () => Promise<T>): Promise<T>;
  /** The command takes its time to end: what others have begun is under way. */
  takeTime(): void;
  /** Ends the process as the signal asks. */
  end(): never;
}

const STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Name = keyof typeof STATUS;
const NAMES = Object.keys(STATUS) as Name[];

/** In milliseconds. Longer than anything takes that does not wait for others. */
const TIME_TO_END = 700;

/** Listens from now on. The second signal ends the process at once. */
export function listenForSignals(): Interruption {
  const aborter = new AbortController();
  let received: Name = 'SIGINT';
  let takesTime = false;
  let computing = 0;
  const end = (): never => endProcess(received);
  const onSignal = (name: Name): void => {
    received = name;
    if (aborter.signal.aborted) end();
    aborter.abort(new ImagesError('ABORTED', 'interrupted'));
    if (!takesTime) setTimeout(end, TIME_TO_END).unref();
  };
  let listens = false;
  // Programs that were started are this process's to end, which the kernel does not know.
  const listen = (): void => {
    const wanted = computing === 0 || someProgramRuns();
    if (wanted === listens) return;
    listens = wanted;
    for (const name of NAMES) wanted ? process.on(name, onSignal) : process.off(name, onSignal);
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
    end,
  };
}

/** `process.exit` waits for Node's threads, and a call into the system can hold one for ever: a pipe that nobody opens, a name that no server resolves. */
function endProcess(name: Name): never {
  if (process.getActiveResourcesInfo().some((type) => /^(?:FS|Get(?:Addr|Name)Info)Req/.test(type))) {
    // No `exit` comes then.
    endStartedPrograms();
    process.removeAllListeners(name);
    process.kill(process.pid, name);
  }
  process.exit(STATUS[name]);
}
