// Runs a helper program (xcluster, crio.sh) and returns what it prints on stdout. Relies on node:child_process, loaded when first used.
import { closeOutputAfterEnd, markedEnvironment, startedProgram } from '../../io/concurrency/started-programs.ts';
import type { TaskCall, World } from '../settings.ts';

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_OUTPUT = 4 * 1024 * 1024;
/** The status of a program that was killed because it printed without end: that of none. */
const TOO_MUCH = 256;
/** Milliseconds to wait for output after the program's end. Its child processes may hold the output open for ever. */
const LINGER = 500;

/** Returns `undefined` if the program cannot be started; a failure of the program is no exception. The signal ends the program and all its child processes at once. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: Pick<World, 'env'> & TaskCall,
): Promise<CommandResult | undefined> {
  const { execFile } = await import('node:child_process');
  const { signal } = options;
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult | undefined>();
  const { env, mark } = markedEnvironment(options.env);
  const settings = { env, encoding: 'utf8', maxBuffer: MAX_OUTPUT, killSignal: 'SIGKILL' } as const;
  const child = execFile(command, args, settings, (error, stdout, stderr) => {
    const isTooMuch = error?.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER';
    if (!error) resolve({ status: 0, stdout, stderr });
    else if (isTooMuch) resolve({ status: TOO_MUCH, stdout, stderr: `it printed more than ${MAX_OUTPUT >> 20} MiB` });
    else if (typeof error.code === 'number') resolve({ status: error.code, stdout, stderr });
    else resolve(undefined);
    if (isTooMuch) program.kill();
  });
  const program = startedProgram(child, mark);
  closeOutputAfterEnd(child, LINGER);
  const stop = () => {
    program.kill();
    reject(signal?.reason);
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
