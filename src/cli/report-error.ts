// Turns what a command threw into lines on stderr and an exit status: `ERROR: what happened [value]`, then what to do about it.
import { type ErrorCode, ImagesError } from '../oci/errors.ts';

export interface ErrorReport {
  readonly lines: readonly string[];
  readonly status: number;
}

/** Failures of the system that a user can mend, by errno name. */
const SYSTEM_ERRORS: Readonly<Record<string, { readonly what: string; readonly hint: string }>> = {
  EACCES: { what: 'no access', hint: 'Check the owner and the mode of that path.' },
  EPERM: { what: 'not permitted', hint: 'Check the owner and the mode of that path.' },
  EROFS: { what: 'the file system is read-only', hint: 'Choose another place with --data=DIR.' },
  ENOSPC: {
    what: 'no space left on the disk',
    hint: 'Free some space and run the command again: it goes on where it stopped.',
  },
  EDQUOT: {
    what: 'the disk quota is used up',
    hint: 'Free some space and run the command again: it goes on where it stopped.',
  },
  EMFILE: { what: 'too many open files', hint: 'Raise the limit: ulimit -n 4096.' },
  ENOENT: { what: 'no such file or directory', hint: 'Check the path.' },
  ENOTDIR: { what: 'not a directory', hint: 'Check the path.' },
};

export function reportError(error: unknown, verbose: boolean): ErrorReport {
  const { message, hint, status } = describe(error);
  const lines = [`ERROR: ${oneLine(message)}`, ...(hint ? [oneLine(hint)] : []), ...(verbose ? stackOf(error) : [])];
  return { lines, status };
}

/** One line for a list of failures: `message (hint)` is too long there, so the message alone. */
export function errorLine(error: unknown): string {
  return oneLine(describe(error).message);
}

function describe(error: unknown): { message: string; hint?: string | undefined; status: number } {
  if (error instanceof ImagesError) return { message: error.message, hint: error.hint, status: statusOf(error.code) };
  const { code, path } = error as NodeJS.ErrnoException;
  const known = typeof code === 'string' ? SYSTEM_ERRORS[code] : undefined;
  if (known) return { message: path ? `${known.what} [${path}]` : known.what, hint: known.hint, status: 1 };
  return {
    message: `internal error: ${error instanceof Error ? error.message : String(error)}`,
    hint: 'This is a bug: run the command again with --verbose and report what it prints.',
    status: 1,
  };
}

function statusOf(code: ErrorCode): number {
  return code === 'USAGE' ? 2 : code === 'ABORTED' ? 130 : 1;
}

/** Control characters come from outside (file names, answers of registries) and must not drive the terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ').replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?');
}

function stackOf(error: unknown): readonly string[] {
  const lines: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    lines.push(lines.length === 0 ? (at.stack ?? at.message) : `caused by ${at.stack ?? at.message}`);
  }
  return lines;
}
