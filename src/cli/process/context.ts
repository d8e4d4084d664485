// What a command is given of the world: the environment as data, its streams, the signal that ends it. Made once, by the program.
import { tmpdir, userInfo } from 'node:os';
import { translateFsError } from '../../io/files/fs-errors.ts';
import { absolute } from '../../io/files/user-directories.ts';
import type { DebugEvent, Environment } from '../../tasks/settings.ts';
import type { Interruption } from './interruption.ts';
import { safeOutput, safeText } from './safe-text.ts';

export interface Context {
  readonly env: Environment;
  /** Absolute; `undefined` for a user without one. */
  readonly home: string | undefined;
  readonly uid: number;
  /** $TMPDIR, or the system's. */
  readonly temporaryDirectory: string;
  /** The program's version. */
  readonly version: string;
  /** How this program is started again: the interpreter and its first arguments. */
  readonly program: readonly [string, ...string[]];
  readonly verbose: boolean;
  /** With --debug: makes what prints events as lines. */
  readonly debug?: DebugLines;
  /** Where work is remembered between runs; `undefined` where no directory is this user's alone. */
  readonly cacheDirectory: string | undefined;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly interruption: Interruption;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stderr: Terminal;
  /** Data: the only thing that goes to stdout. Waits where the reader is slow. On a terminal nothing in it drives that. */
  out(data: string | Uint8Array): Promise<void>;
  /** Whether `out` was called. */
  readonly hasWritten: boolean;
  /** A line for people, on stderr. */
  note(line: string): void;
}

export type DebugLines = (note: (line: string) => void) => (event: DebugEvent) => void;

export interface Terminal {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;
  /** For what draws over itself. */
  readonly stream: NodeJS.WriteStream;
  write(text: string): void;
}

export interface ContextSettings {
  readonly version: string;
  readonly verbose: boolean;
  readonly debug?: DebugLines;
  readonly interruption: Interruption;
  readonly cacheDirectory: string | undefined;
}

/** Streams are touched only when used: making one costs a millisecond, which commands without output do without. */
export function processContext(settings: ContextSettings): Context {
  let hasWritten = false;
  return {
    ...settings,
    signal: settings.interruption.signal,
    get hasWritten() {
      return hasWritten;
    },
    env: process.env,
    program: [process.execPath, ...process.argv.slice(1, 2)],
    get home() {
      return homeDirectory();
    },
    uid: process.getuid?.() ?? 0,
    temporaryDirectory: tmpdir(),
    get stdin() {
      return process.stdin;
    },
    get stderr() {
      const { stderr } = process;
      return {
        // What services of continuous integration show is no terminal, whatever they claim.
        isTTY: stderr.isTTY === true && process.env.TERM !== 'dumb' && !isSet(process.env.CI),
        get columns() {
          return stderr.columns || 80;
        },
        get rows() {
          return stderr.rows || 24;
        },
        stream: stderr,
        write: (text: string) => {
          listenOnce(stderr);
          stderr.write(safeOutput(text));
        },
      };
    },
    out: (data) =>
      new Promise((resolve, reject) => {
        listenOnce(process.stdout);
        hasWritten = true;
        const safe = process.stdout.isTTY ? safeText(Buffer.from(data).toString()) : data;
        process.stdout.write(safe, (error) => (error ? reject(translateFsError(error, 'standard output')) : resolve()));
      }),
    note: (line) => {
      listenOnce(process.stderr);
      process.stderr.write(`${safeText(line)}\n`);
    },
  };
}

/** $HOME; where that is empty or relative, what the user database says. */
function homeDirectory(): string | undefined {
  const named = absolute(process.env.HOME);
  if (named !== undefined) return named;
  try {
    return absolute(userInfo().homedir);
  } catch {
    // A number that the database does not know.
    return undefined;
  }
}

/** A stream without a listener turns a reader that has gone (EPIPE) into a crash; the write's own callback says it as well. */
function listenOnce(stream: NodeJS.WriteStream): void {
  if (stream.listenerCount('error') === 0) stream.on('error', () => undefined);
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value);
}
