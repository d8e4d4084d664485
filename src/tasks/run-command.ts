// Runs a helper program (xcluster, crio.sh) and returns what it prints on stdout. Relies on node:child_process, loaded when first used.
import type { Environment } from './settings.ts';

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_OUTPUT = 4 * 1024 * 1024;

/** `undefined` where the program cannot be started. Never throws for what the program does. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly env: Environment; readonly signal?: AbortSignal },
): Promise<CommandResult | undefined> {
  const { execFile } = await import('node:child_process');
  options.signal?.throwIfAborted();
  return await new Promise((resolve, reject) => {
    execFile(
      command,
      args,
      {
        env: options.env,
        encoding: 'utf8',
        maxBuffer: MAX_OUTPUT,
        killSignal: 'SIGKILL',
        ...(options.signal && { signal: options.signal }),
      },
      (error, stdout, stderr) => {
        if (options.signal?.aborted) reject(options.signal.reason);
        else if (!error) resolve({ status: 0, stdout, stderr });
        else if (typeof error.code === 'number') resolve({ status: error.code, stdout, stderr });
        else resolve(undefined);
      },
    );
  });
}
