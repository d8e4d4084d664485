// Runs shell scripts where layers can be unpacked, mounted and read: in a new mount namespace if the user is root, otherwise as root of a new user
// namespace (user_namespaces(7)). Relies on util-linux' unshare, and for subordinate ids on newuidmap and newgidmap.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ImagesError } from '../../oci/errors.ts';
import type { IdRange, Ids } from './ids.ts';
import { mendProgram, type Programs } from './programs.ts';

export interface Namespaces {
  /** Starts `script` with `args` as `$1`…. If it is pid 1, it is killed with all its children when `control` is closed. */
  start(script: string, options?: StartOptions): Promise<Started>;
  /** Runs a script to its end and collects its output. A status other than 0 throws nothing. */
  run(script: string, options?: StartOptions): Promise<Finished>;
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly directory?: string;
  /** Uses a new pid namespace, so that all processes that the script started end with it. */
  readonly pids?: boolean;
}

export interface Started {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** File descriptor 3 of the script. Closed when this process ends, for whatever reason. */
  readonly control: Writable;
  /** File descriptor 4 of the script. */
  readonly report: Readable;
  /** The exit status, as a shell reports it. */
  readonly status: Promise<number>;
}

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Waits until the ids of the namespace are mapped, then executes the program. */
const WAIT = 'echo >&4; read -r _ <&3 || exit 125; exec "$@"';

export function createNamespaces(ids: Ids, programs: Programs): Namespaces {
  const start = async (script: string, options: StartOptions = {}): Promise<Started> => {
    const unshare = await need(programs, 'unshare');
    const sh = await need(programs, 'sh');
    const mapped = ids.enter === 'user namespace' && ids.owners === 'many';
    const child = spawn(
      unshare,
      [
        ...(ids.enter === 'directly' ? [] : mapped ? ['-U'] : ['-U', '-r']),
        '-m',
        ...(options.pids ? ['-p', '-f', '--kill-child'] : []),
        ...(mapped ? [sh, '-c', WAIT, 'sh'] : []),
        sh,
        '-c',
        script,
        'sh',
        ...(options.args ?? []),
      ],
      {
        cwd: options.directory ?? '/',
        env: { PATH: programs.path, LC_ALL: 'C' },
        // Ctrl-C in a terminal must reach only this process, which decides about its children.
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
      },
    );
    const started = startedOf(child);
    if (mapped) await mapIds(child, started, { ids, programs });
    return started;
  };
  return {
    start,
    async run(script, options) {
      const started = await start(script, options);
      started.stdin.end();
      const [stdout, stderr, status] = await Promise.all([text(started.stdout), text(started.stderr), started.status]);
      started.control.destroy();
      return { status, stdout, stderr };
    },
  };
}

function startedOf(child: ChildProcess): Started {
  const [stdin, stdout, stderr, control, report] = child.stdio as unknown as [
    Writable,
    Readable,
    Readable,
    Writable,
    Readable,
  ];
  // A write error means that the process has ended, which its status shows.
  for (const stream of [stdin, control]) stream.on('error', () => {});
  const status = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === 'SIGKILL' ? 9 : 15)));
  });
  status.catch(() => {});
  return { stdin, stdout, stderr, control, report, status };
}

interface Mapping {
  readonly ids: Ids;
  readonly programs: Programs;
}

/** Errors: RUN_UNAVAILABLE (the kernel makes no user namespace, or the user may not use these ids). */
async function mapIds(child: ChildProcess, started: Started, { ids, programs }: Mapping): Promise<void> {
  const pid = child.pid;
  if (pid === undefined) return void (await started.status);
  try {
    await entered(started);
    const [newuidmap, newgidmap] = await Promise.all([need(programs, 'newuidmap'), need(programs, 'newgidmap')]);
    await Promise.all([setMap(newuidmap, pid, ids.uids), setMap(newgidmap, pid, ids.gids)]);
    started.control.write('\n');
  } catch (error) {
    started.control.destroy();
    throw error;
  }
}

/** Waits for the script's signal that it is in the namespace. */
async function entered(started: Started): Promise<void> {
  await Promise.race([once(started.report, 'readable'), once(started.report, 'end')]);
  if (started.report.read(1) !== null) return;
  const said = (await text(started.stderr)).trim();
  throw new ImagesError('RUN_UNAVAILABLE', `no user namespace can be made [${said}]`);
}

async function setMap(program: string, pid: number, ranges: readonly IdRange[]): Promise<void> {
  const numbers = ranges.flatMap(({ inside, outside, count }) => [inside, outside, count].map(String));
  await new Promise<void>((resolve, reject) => {
    execFile(program, [String(pid), ...numbers], (error, _, stderr) => {
      if (!error) resolve();
      else reject(new ImagesError('RUN_UNAVAILABLE', `the subordinate ids cannot be used [${stderr.trim()}]`));
    });
  });
}

async function need(programs: Programs, name: string): Promise<string> {
  const found = await programs.find(name);
  if (found) return found;
  throw new ImagesError('RUN_UNAVAILABLE', `there is no program [${name}]`, { hint: mendProgram(name) });
}
