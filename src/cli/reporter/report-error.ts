// Turns an error that a command threw into lines on stderr and an exit status: `ERROR: what happened [value]`, then a hint.

import { translateFsError } from '../../io/files/fs-errors.ts';
import { withoutSecrets } from '../../io/text/secrets.ts';
import { type ErrorCode, ImagesError } from '../../oci/errors.ts';
import { isSuppressedError } from '../../oci/suppressed-error.ts';
import { safeLine, safeText } from '../process/safe-text.ts';

export interface ErrorReport {
  readonly lines: readonly string[];
  readonly status: number;
  /** For programs: the output of --json if a command failed before it printed anything. */
  readonly data: FailureData;
}

export interface FailureData {
  /** `INTERNAL` for unexpected errors. */
  readonly code: ErrorCode | 'INTERNAL';
  readonly message: string;
  readonly hint?: string;
  /** For a copy: the end that failed. */
  readonly end?: 'source' | 'destination';
  /** The message of the other side. */
  readonly said?: string;
  /** The failed HTTP request, if it was one. */
  readonly request?: { readonly method: string; readonly url?: string; readonly status?: number };
}

/** Messages for errors of paths that a user named. */
const PATH_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EISDIR: 'a directory, not a file',
  ENAMETOOLONG: 'name too long',
  ELOOP: 'links that lead in a circle',
};

/** Default hints, for errors that have no hint of their own. */
const HINTS: Partial<Readonly<Record<ErrorCode, string>>> = {
  DIGEST_INVALID: 'What is there is damaged: `images check IMAGE` tells more.',
  MANIFEST_INVALID: 'What is there is no image as the specification has it: `images check IMAGE` tells more.',
  SIZE_INVALID: 'What is there and what the image says of it differ: `images check IMAGE` tells more.',
};

export function reportError(thrown: unknown, verbose: boolean): ErrorReport {
  const error = firstFailure(thrown);
  const { code, message, hint, status } = describe(error);
  const excerpt = error instanceof ImagesError ? error.excerpt.map((line) => `  ${safeText(line)}`) : [];
  const lines = [
    `ERROR: ${safeLine(message)}`,
    ...excerpt,
    ...(hint ? [safeLine(hint)] : []),
    ...(verbose ? stackOf(error) : []),
  ];
  return { lines, status, data: dataOf(error, { code, message, hint }) };
}

/** An error for programs, as an entry in a list of failures. */
export function failureData(thrown: unknown): FailureData {
  return dataOf(firstFailure(thrown), describe(thrown));
}

function dataOf(error: unknown, { code, message, hint }: Pick<Described, 'code' | 'message' | 'hint'>): FailureData {
  const request = requestOf(error);
  const { end, said } = error instanceof ImagesError ? error : {};
  return {
    code,
    message: safeLine(message),
    ...(hint && { hint: safeLine(hint) }),
    ...(end && { end }),
    ...(said && { said: safeLine(said) }),
    ...(request && { request }),
  };
}

function requestOf(error: unknown): FailureData['request'] {
  if (!(error instanceof ImagesError) || error.method === undefined) return undefined;
  const { method, url, status } = error;
  return { method, ...(url !== undefined && { url }), ...(status !== undefined && { status }) };
}

/** An error as one line in a list of failures, without its hint, which would make it too long. */
export function errorLine(error: unknown): string {
  return safeLine(describe(error).message);
}

interface Described extends Pick<FailureData, 'code' | 'message'> {
  readonly hint?: string | undefined;
  readonly status: number;
}

/** The original error, not errors from closing resources afterwards. */
function firstFailure(thrown: unknown): unknown {
  let error = thrown;
  while (isSuppressedError(error)) error = error.suppressed;
  return error;
}

function describe(thrown: unknown): Described {
  const described = describeError(firstFailure(thrown));
  return isCurrentDirectoryGone() && described.status === 1 ? { ...described, ...NO_DIRECTORY } : described;
}

const NO_DIRECTORY = { hint: 'The current directory is gone: change to one that is there.' };

function isCurrentDirectoryGone(): boolean {
  try {
    process.cwd();
    return false;
  } catch {
    return true;
  }
}

function describeError(thrown: unknown): Described {
  const { code, path, syscall } = thrown as NodeJS.ErrnoException;
  if (syscall === 'uv_cwd') return { code: 'PATH_UNKNOWN', message: 'the current directory is gone', status: 1 };
  const error = path === undefined ? thrown : translateFsError(thrown, path);
  if (error instanceof ImagesError) {
    const { message, hint = HINTS[error.code] } = error;
    return { code: error.code, message, hint, status: statusOf(error.code) };
  }
  const known = PATH_ERRORS[code ?? ''];
  if (known && path !== undefined)
    return { code: 'PATH_UNKNOWN', message: `${known} [${path}]`, hint: 'Check the path.', status: 1 };
  return {
    code: 'INTERNAL',
    message: `internal error: ${error instanceof Error ? error.message : String(error)}`,
    hint: 'This is a bug: run the command again with --verbose and report what it prints.',
    status: 1,
  };
}

/** PLATFORM_INVALID counts as a usage error, because users write platforms only in options. */
function statusOf(code: ErrorCode): number {
  return code === 'USAGE' || code === 'PLATFORM_INVALID' ? 2 : code === 'ABORTED' ? 130 : 1;
}

/** The stack traces, with those of the causes. Texts from outside in them are made safe for the terminal. */
function stackOf(error: unknown): readonly string[] {
  const lines: string[] = [];
  if (error instanceof ImagesError && error.method !== undefined) {
    lines.push(`${error.method} ${error.url}${error.status === undefined ? '' : ` answered ${error.status}`}`);
  }
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    lines.push(at === error ? (at.stack ?? at.message) : `caused by ${at.stack ?? at.message}`);
  }
  return lines.map((line) => safeText(withoutSecrets(line)));
}
