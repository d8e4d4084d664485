// Runs one command in a prepared directory: sends its input, forwards its output, and distinguishes a failed preparation from a failed command.
import { pipeline } from 'node:stream/promises';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Namespaces } from './namespace.ts';
import { INVALID, STATUS, SUPERVISOR } from './supervisor.ts';

export interface Execution extends CallOptions {
  readonly directory: string;
  /** An archive of the files in `t`, with the plan. */
  readonly archive: AsyncIterable<Uint8Array>;
  onOutput?(chunk: Uint8Array): void;
}

export interface Executed {
  /** Absent if the command was not started. */
  readonly status?: number;
  /** Messages of the preparation or the runtime. */
  readonly report: string;
}

/** The most bytes of the report that are kept. */
const MAX_REPORT = 64 * 1024;

/** Kills all processes if the signal is aborted. Errors: the signal's reason, RUN_UNAVAILABLE. */
export async function execute(execution: Execution, namespaces: Namespaces): Promise<Executed> {
  const { directory, archive, signal, onOutput } = execution;
  signal?.throwIfAborted();
  const started = await namespaces.start(SUPERVISOR, { directory, pids: true });
  const end = (): void => void started.control.destroy();
  signal?.addEventListener('abort', end, { once: true });
  try {
    let report = '';
    // If the namespace cannot be made, the reason is only on stderr.
    for (const stream of [started.report, started.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        report = (report + chunk.toString()).slice(-MAX_REPORT);
      });
    }
    started.stdout.on('data', (chunk: Uint8Array) => onOutput?.(chunk));
    const sent = pipeline(archive, started.stdin).catch((error: NodeJS.ErrnoException) => {
      // A reader that closes early reports its own reason.
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

/** The error for a command that was not started: an invalid mount, or a changed machine. */
export function notPrepared(report: string): ImagesError {
  const invalid = report.split('\n').find((line) => line.startsWith(INVALID));
  if (invalid) return new ImagesError('CONFIG_INVALID', invalid.slice(INVALID.length));
  return new ImagesError('RUN_UNAVAILABLE', `RUN cannot be prepared [${reasonIn(report) ?? 'no reason given'}]`);
}

/** The most informative line: the last one that is not mount's advice. */
export function reasonIn(report: string): string | undefined {
  return report
    .split('\n')
    .findLast((line) => line.trim() !== '' && !line.includes('dmesg(1)'))
    ?.trim();
}
