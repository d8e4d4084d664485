// Processes of tests: run one to its end, or keep one running; each is ended by its own id.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
}

/** Runs to the end. The status is -1 if a signal ended it. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const child = start(command, args, options);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin?.on('error', () => undefined).end(options.input);
  const [status] = (await once(child, 'close')) as [number | null];
  return { status: status ?? -1, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

/** Runs to the end. Throws if the status is not 0. */
export async function must(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(command, args, options);
  if (result.status !== 0) {
    throw new Error(`${command} ${args.join(' ')}: exit ${result.status}\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}

export function start(command: string, args: readonly string[], options: RunOptions = {}): ChildProcess {
  return spawn(command, args, {
    env: { ...process.env, ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(options.cwd && { cwd: options.cwd }),
  });
}

/** SIGTERM, after five seconds SIGKILL. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(force);
}

/** Calls `probe` until it returns `true`. Throws after `seconds`. */
export async function until(probe: () => Promise<boolean>, seconds = 30): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await probe().catch(() => false))) {
    if (Date.now() > end) throw new Error(`nothing answered within ${seconds} s`);
    await new Promise((done) => setTimeout(done, 30));
  }
}
