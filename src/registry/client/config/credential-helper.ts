// Docker's credential helpers: `docker-credential-NAME get`, the server on stdin, JSON on stdout (docker-credential-helpers, "Development").
import { isObject } from '../../../oci/decode.ts';
import { ImagesError } from '../../../oci/errors.ts';
import type { Credentials } from '../settings.ts';

export interface HelperCall {
  /** What follows `docker-credential-`. */
  readonly name: string;
  readonly server: string;
  /** The file that names the helper. */
  readonly file: string;
  /** What the helper is started with; PATH finds it. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const LONGEST = 60_000;
/** Characters; an answer has a few hundred, or some thousand with a token. */
const MAX_ANSWER = 1024 * 1024;

/** `undefined` where the helper has nothing for the server. Errors: CONFIG_INVALID, which never quotes what the helper printed. */
export async function askHelper(call: HelperCall): Promise<Credentials | undefined> {
  const program = `docker-credential-${call.name}`;
  if (!/^[\w.-]+$/.test(call.name)) throw refuse(call, `names no credential helper [${call.name}]`);
  const { status, stdout } = await run(program, call);
  if (status !== 0) {
    // The text of credentials.NewErrCredentialsNotFound, on stdout; some helpers vary it.
    if (/not found|no credentials/i.test(stdout)) return undefined;
    throw refuse(
      call,
      `names ${program}, which failed for ${call.server} [${status < 0 ? 'killed' : `exit ${status}`}]`,
    );
  }
  return (
    readCredentials(stdout) ?? throwNow(refuse(call, `names ${program}, which gave no credentials for ${call.server}`))
  );
}

function readCredentials(stdout: string): Credentials | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    return undefined;
  }
  if (!isObject(answer) || typeof answer.Username !== 'string' || typeof answer.Secret !== 'string') return undefined;
  // Docker stores refresh tokens under this name.
  if (answer.Username === '<token>') return { type: 'identity-token', token: answer.Secret };
  return { type: 'password', username: answer.Username, password: answer.Secret };
}

async function run(program: string, call: HelperCall): Promise<{ readonly status: number; readonly stdout: string }> {
  const { spawn } = await import('node:child_process');
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; stdout: string }>();
  const child = spawn(program, ['get'], {
    env: { ...call.env },
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: LONGEST,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.length > MAX_ANSWER) child.kill('SIGKILL');
  });
  // What a killed helper has started may hold its output open for ever.
  child.on('exit', (_, signal) => {
    if (signal !== null) child.stdout.destroy();
  });
  child.on('error', (cause) => {
    const why = 'code' in cause && cause.code === 'ENOENT' ? 'is not on PATH' : 'cannot be started';
    reject(refuse(call, `names ${program}, which ${why}`, cause));
  });
  child.on('close', (status) => resolve({ status: status ?? -1, stdout }));
  // A helper that does not read its input is no failure of ours.
  child.stdin.on('error', () => {});
  child.stdin.end(call.server);
  return promise;
}

function refuse({ file }: HelperCall, what: string, cause?: unknown): ImagesError {
  const hint = `Install the helper, or remove it from credsStore or credHelpers in ${file}.`;
  return new ImagesError('CONFIG_INVALID', `${file} ${what}`, { hint, cause });
}

function throwNow(error: Error): never {
  throw error;
}
