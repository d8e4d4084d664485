// Where the log of a server goes: its standard error. Nothing that happens to it stops the server, or makes it wait: a full disk and a reader that does not read lose lines,
// which are counted, and one that has gone loses all. A log that `lreg_start` began is kept from growing without end.
import { fstatSync, writeSync } from 'node:fs';
import type { Context } from './context.ts';
import { safeText } from './safe-text.ts';

export interface LogOutput extends Disposable {
  /** Whole lines; those that are not urgent are written a moment later, many at once. */
  write(lines: string, isUrgent: boolean): void;
}

export interface LogOutputOptions {
  /** Called before lines are written to a file, with its size then: whoever makes it smaller says so. */
  readonly makeRoom?: (file: number, size: number) => void;
  readonly file?: number;
  /** Instead of the system's. */
  readonly write?: (file: number, bytes: Uint8Array, at: number) => number;
}

/** In characters. */
const MOST_AT_ONCE = 64 * 1024;
/** In milliseconds: a write for each line would cost as much as the request. */
const WITHIN = 50;
/** In bytes, that a reader has not read. */
const MOST_BEHIND = 4 * 1024 * 1024;
/** In bytes between two looks at the size of a file. */
const LOOK_AFTER = 256 * 1024;

type WriteLines = (lines: string) => boolean;

export function logOutput(context: Pick<Context, 'stderr' | 'note'>, options: LogOutputOptions = {}): LogOutput {
  const { file = 2 } = options;
  const isOwn = options.file !== undefined || context.stderr.stream === process.stderr;
  const writeLines: WriteLines = isOwn && isFile(file) ? toFile(file, options) : toStream(context);
  let held: string[] = [];
  let length = 0;
  let lost = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (held.length === 0) return;
    const lines = held.join('');
    const before =
      lost === 0 ? '' : `${new Date().toISOString()} WARNING: ${lost} lines of this log were lost before this\n`;
    const count = held.length;
    held = [];
    length = 0;
    if (writeLines(before + lines)) lost = 0;
    else lost += count;
  }

  process.on('exit', flush);
  return {
    write: (lines, isUrgent) => {
      held.push(lines);
      length += lines.length;
      if (isUrgent || length >= MOST_AT_ONCE) flush();
      else timer ??= setTimeout(flush, WITHIN);
    },
    [Symbol.dispose]: () => {
      flush();
      process.off('exit', flush);
    },
  };
}

function isFile(file: number): boolean {
  try {
    return fstatSync(file).isFile();
  } catch {
    return false;
  }
}

/** Node's stream would end for ever with the first write that fails. */
function toFile(file: number, { makeRoom, write = writeSync }: LogOutputOptions): WriteLines {
  let since = LOOK_AFTER;
  return (lines) => {
    try {
      since += lines.length;
      if (makeRoom && since >= LOOK_AFTER) {
        since = 0;
        makeRoom(file, fstatSync(file).size);
      }
    } catch {
      // It goes on growing.
    }
    const bytes = Buffer.from(safeText(lines));
    try {
      for (let at = 0; at < bytes.length; ) at += write(file, bytes, at);
      return true;
    } catch {
      return false;
    }
  };
}

function toStream({ stderr, note }: Pick<Context, 'stderr' | 'note'>): WriteLines {
  const { stream } = stderr;
  return (lines) => {
    if (stream.destroyed || stream.writableLength > MOST_BEHIND) return false;
    note(lines.slice(0, -1));
    return true;
  };
}
