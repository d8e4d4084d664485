// Turns what a command threw into lines on stderr and an exit status: `ERROR: what happened [value]`, then what to do about it.
import { translateFsError } from '../io/fs-errors.ts';
import { withoutSecrets } from '../io/secrets.ts';
import { type ErrorCode, ImagesError } from '../oci/errors.ts';

export interface ErrorReport {
  readonly lines: readonly string[];
  readonly status: number;
}

/** Of paths that a user named. */
const PATH_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EISDIR: 'a directory, not a file',
  ENAMETOOLONG: 'name too long',
  ELOOP: 'links that lead in a circle',
};

/** Where nobody further in knows more. */
const HINTS: Partial<Readonly<Record<ErrorCode, string>>> = {
  DIGEST_INVALID: 'What is there is damaged: `images check IMAGE` tells more.',
  MANIFEST_INVALID: 'What is there is no image as the specification has it: `images check IMAGE` tells more.',
  SIZE_INVALID: 'What is there and what the image says of it differ: `images check IMAGE` tells more.',
};

export function reportError(error: unknown, verbose: boolean): ErrorReport {
  const { message, hint, status } = describe(error);
  const excerpt = error instanceof ImagesError ? error.excerpt.map((line) => `  ${withoutControls(line)}`) : [];
  const lines = [
    `ERROR: ${oneLine(message)}`,
    ...excerpt,
    ...(hint ? [oneLine(hint)] : []),
    ...(verbose ? stackOf(error) : []),
  ];
  return { lines, status };
}

/** One line for a list of failures: `message (hint)` is too long there, so the message alone. */
export function errorLine(error: unknown): string {
  return oneLine(describe(error).message);
}

function describe(thrown: unknown): { message: string; hint?: string | undefined; status: number } {
  const { code, path } = thrown as NodeJS.ErrnoException;
  const error = path === undefined ? thrown : translateFsError(thrown, path);
  if (error instanceof ImagesError) {
    return { message: error.message, hint: error.hint ?? HINTS[error.code], status: statusOf(error.code) };
  }
  const known = PATH_ERRORS[code ?? ''];
  if (known && path !== undefined) return { message: `${known} [${path}]`, hint: 'Check the path.', status: 1 };
  return {
    message: `internal error: ${error instanceof Error ? error.message : String(error)}`,
    hint: 'This is a bug: run the command again with --verbose and report what it prints.',
    status: 1,
  };
}

/** Only options hold platforms that a user wrote. */
function statusOf(code: ErrorCode): number {
  return code === 'USAGE' || code === 'PLATFORM_INVALID' ? 2 : code === 'ABORTED' ? 130 : 1;
}

/** Control characters come from outside (file names, answers of registries) and must not drive the terminal. */
function oneLine(text: string): string {
  return withoutControls(text.replaceAll(/\s*[\r\n]+\s*/g, ' '));
}

function withoutControls(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?');
}

/** The causes are texts of others, as they came. */
function stackOf(error: unknown): readonly string[] {
  const lines: string[] = [];
  if (error instanceof ImagesError && error.method !== undefined) {
    lines.push(`${error.method} ${error.url}${error.status === undefined ? '' : ` answered ${error.status}`}`);
  }
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    lines.push(at === error ? (at.stack ?? at.message) : `caused by ${at.stack ?? at.message}`);
  }
  return lines.map((line) => withoutControls(withoutSecrets(line)));
}
