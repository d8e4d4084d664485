// Runs one command in a prepared place: sends what it is given, hands on what it prints, and tells what went wrong before it from how it ended.
import { pipeline } from 'node:stream/promises';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Namespaces } from './namespace.ts';
import { INVALID, STATUS, SUPERVISOR } from './supervisor.ts';

export interface Execution extends CallOptions {
  readonly directory: string;
  /** Of the files in `t`, the plan among them. */
  readonly archive: AsyncIterable<Uint8Array>;
  onOutput?(chunk: Uint8Array): void;
}

export interface Executed {
  /** Absent where the command was not reached. */
  readonly status?: number;
  /** What the preparation, or the runtime, had to say. */
  readonly report: string;
}

/** The most that is kept of it. */
const MAX_REPORT = 64 * 1024;

/** When the signal is aborted, all that runs is killed. Errors: what it is aborted with, RUN_UNAVAILABLE. */
export async function execute(execution: Execution, namespaces: Namespaces): Promise<Executed> {
  const { directory, archive, signal, onOutput } = execution;
  signal?.throwIfAborted();
  const started = await namespaces.start(SUPERVISOR, { directory, pids: true });
  const end = (): void => void started.control.destroy();
  signal?.addEventListener('abort', end, { once: true });
  try {
    let report = '';
    // What makes the namespace has only its stderr to say why it cannot.
    for (const stream of [started.report, started.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        report = (report + chunk.toString()).slice(-MAX_REPORT);
      });
    }
    started.stdout.on('data', (chunk: Uint8Array) => onOutput?.(chunk));
    const sent = pipeline(archive, started.stdin).catch((error: NodeJS.ErrnoException) => {
      // Who does not read it all says why.
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    });
    await Promise.all([sent, started.status]);
    signal?.throwIfAborted();
    const at = report.lastIndexOf(STATUS);
    return at < 0
      ? { report: report.trim() }
      : { status: Number.parseInt(report.slice(at + STATUS.length), 10), report: report.slice(0, at).trim() };
  } finally {
    signal?.removeEventListener('abort', end);
    end();
  }
}

/** Why the command was not reached: what was asked for cannot be mounted, or the machine has changed. */
export function notPrepared(report: string): ImagesError {
  const invalid = report.split('\n').find((line) => line.startsWith(INVALID));
  if (invalid) return new ImagesError('CONFIG_INVALID', invalid.slice(INVALID.length));
  return new ImagesError('RUN_UNAVAILABLE', `RUN cannot be prepared [${reasonIn(report) ?? 'no reason given'}]`);
}

/** The line that says most: the last one that is not mount's advice. */
export function reasonIn(report: string): string | undefined {
  return report
    .split('\n')
    .findLast((line) => line.trim() !== '' && !line.includes('dmesg(1)'))
    ?.trim();
}
