// The world as a command gets it: the environment as data, the streams, the signal that ends it. Made once, by the program.
import { setPriority, tmpdir, userInfo } from 'node:os';
import { translateFsError } from '../../io/files/fs-errors.ts';
import { absolute } from '../../io/files/user-directories.ts';
import type { DebugEvent, Environment } from '../../tasks/settings.ts';
import type { Interruption } from './interruption.ts';
import { safeOutput, safeText } from './safe-text.ts';

export interface Context {
  readonly env: Environment;
  /** An absolute path; `undefined` for a user without a home. */
  readonly home: string | undefined;
  readonly uid: number;
  /** $TMPDIR, or the system's. */
  readonly temporaryDirectory: string;
  /** The program's version. */
  readonly version: string;
  /** The command that starts this program: the interpreter and its first arguments. */
  readonly program: readonly [string, ...string[]];
  readonly verbose: boolean;
  /** With --debug: makes a function that prints debug events as lines. */
  readonly debug?: DebugLines;
  /** The cache directory; `undefined` if no directory belongs to this user alone. */
  readonly cacheDirectory: string | undefined;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly interruption: Interruption;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stderr: Terminal;
  /** Writes to stdout, which gets nothing but data. Waits if the reader is slow. For a terminal, control characters are replaced. */
  out(data: string | Uint8Array): Promise<void>;
  /** Whether `out` was called. */
  readonly hasWritten: boolean;
  /** A line for people, on stderr. */
  note(line: string): void;
  /** For long work that nobody must notice: processors that others want are theirs. */
  giveWay(): void;
}

export type DebugLines = (note: (line: string) => void) => (event: DebugEvent) => void;

export interface Terminal {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;
  /** For code that redraws lines, such as bars. */
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

/** Streams are created on first use: creating one costs a millisecond, which commands without output save. */
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
        // A CI service shows no terminal, even if it claims to be one.
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
    giveWay: () => {
      try {
        setPriority(NICE);
      } catch {
        // It is low already.
      }
    },
  };
}

/** As nice(1) has it by default. */
const NICE = 10;

/** $HOME; if that is empty or relative, the home in the user database. */
function homeDirectory(): string | undefined {
  const named = absolute(process.env.HOME);
  if (named !== undefined) return named;
  try {
    return absolute(userInfo().homedir);
  } catch {
    // The user ID is not in the database.
    return undefined;
  }
}

/** Without a listener, EPIPE (the reader has gone) would crash the process. The error is handled in the callback of the write. */
function listenOnce(stream: NodeJS.WriteStream): void {
  if (stream.listenerCount('error') === 0) stream.on('error', () => undefined);
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value);
}
