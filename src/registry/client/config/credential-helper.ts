// Docker's credential helpers: `docker-credential-NAME get|store|erase`, the server or JSON on stdin, JSON on stdout (docker-credential-helpers, "Development").
import { closeOutputAfterEnd, markedEnvironment, startedProgram } from '../../../io/concurrency/started-programs.ts';
import { isNothing } from '../../../io/files/read-config-file.ts';
import { hasInOrder } from '../../../io/text/in-order.ts';
import { quote } from '../../../io/text/quote.ts';
import { isObject } from '../../../oci/decode.ts';
import { type ErrorDetails, ImagesError } from '../../../oci/errors.ts';
import type { Credentials } from '../settings.ts';

export interface HelperCall {
  /** The part of the program's name after `docker-credential-`. */
  readonly name: string;
  readonly server: string;
  /** The configuration file that names the helper. */
  readonly file: string;
  /** The helper's environment; its PATH is used to find it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long output is waited for after the helper has ended; for tests. */
  readonly lingerMs?: number;
}

export interface PasswordLogin {
  readonly username: string;
  readonly password: string;
}

interface Outcome {
  /** `exit 1`, or the signal that ended it. */
  readonly end: string;
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const LONGEST = 60_000;
/** Milliseconds to wait for output after the helper has ended: an agent that it started may keep its output open for ever. */
const LINGER = 500;
/** In characters. An answer has a few hundred, with a token some thousand. */
const MAX_OUTPUT = 1024 * 1024;
/** In characters: how much of its last output goes into a message. */
const MAX_WORDS = 300;

/** Texts for "no credentials": that of credentials.NewErrCredentialsNotFound, that of macOS, and others. */
const NOTHING_THERE = /\bno (?:(?:such|matching|stored|saved) )?(?:credential|item|entry|secret)s?\b/i;
const NOT_FOUND = [/\b(?:credentials?|item|entry|secret|element)s?\b/i, /(?:\bnot|n't)\b/i, /\bfound\b/i];

/** Asks the helper. Returns `undefined` if it has no credentials for the server. Errors: CONFIG_INVALID, with its last output if it failed. */
export async function askHelper(call: HelperCall): Promise<Credentials | undefined> {
  const outcome = await run('get', call.server, call);
  const { status } = outcome;
  if (status === 0) return readCredentials(outcome, call);
  // 126 and 127: a shell did not find the program that the helper is a wrapper of.
  const isRun = status !== undefined && status < 126;
  if (isRun && saysNotFound(`${outcome.stdout}\n${outcome.stderr}`)) return undefined;
  throw failed(call, `failed for ${call.server} [${outcome.end}]`, outcome);
}

/** Gives the helper credentials to keep. Errors: CONFIG_INVALID, with its last output if it failed. */
export async function tellHelper(call: HelperCall, { username, password }: PasswordLogin): Promise<void> {
  const input = JSON.stringify({ ServerURL: call.server, Username: username, Secret: password });
  const outcome = await run('store', input, call);
  if (outcome.status !== 0)
    throw failed(call, `failed to keep the password for ${call.server} [${outcome.end}]`, outcome);
}

/** Lets the helper forget what it has for the server; no error if it has nothing. Errors: CONFIG_INVALID. */
export async function emptyHelper(call: HelperCall): Promise<void> {
  const outcome = await run('erase', call.server, call);
  if (outcome.status === 0 || saysNotFound(`${outcome.stdout}\n${outcome.stderr}`)) return;
  throw failed(call, `failed to forget ${call.server} [${outcome.end}]`, outcome);
}

/** Reads the answer. Errors do not quote the stdout of a successful helper, because it may be a secret in an unexpected format. */
function readCredentials(outcome: Outcome, call: HelperCall): Credentials | undefined {
  const answer = parsed(outcome.stdout);
  if (isNothing(answer)) {
    if (outcome.stderr.trim() === '' || saysNotFound(outcome.stderr)) return undefined;
    throw failed(call, `gave no credentials for ${call.server}`, { ...outcome, stdout: '' });
  }
  if (typeof answer === 'string' && saysNotFound(answer)) return undefined;
  if (!isObject(answer)) throw failed(call, `gave no credentials for ${call.server}`, { ...outcome, stdout: '' });
  const { Username: username, Secret: secret } = answer;
  // Docker stores refresh tokens under this user name.
  const isToken = username === '<token>';
  if (isNothing(secret) && (isNothing(username) || isToken)) return undefined;
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw failed(call, `gave no credentials for ${call.server}`, { ...outcome, stdout: '' });
  }
  const origin = `docker-credential-${call.name}, which ${call.file} names`;
  return isToken
    ? { type: 'identity-token', token: secret, origin }
    : { type: 'password', username, password: secret, origin };
}

/** JSON, or the text itself, which is no valid answer. */
function parsed(stdout: string): unknown {
  const text = stdout.replace(/^\uFEFF/, '').trim();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function run(action: 'get' | 'store' | 'erase', input: string, call: HelperCall): Promise<Outcome> {
  const program = `docker-credential-${call.name}`;
  if (!/^[\w.-]+$/.test(call.name)) {
    const hint = `Correct credsStore or credHelpers in ${call.file}.`;
    throw refuse(call, `names no credential helper [${call.name}]`, { hint });
  }
  const { spawn } = await import('node:child_process');
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const { env, mark } = markedEnvironment(call.env);
  const child = spawn(program, [action], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const started = startedProgram(child, mark);
  let killed: string | undefined;
  const kill = (why: string) => {
    killed = why;
    started.kill();
  };
  const late = setTimeout(() => kill(`it took more than ${LONGEST / 1000} s`), LONGEST);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.length <= MAX_OUTPUT) return;
    kill('it printed without end');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MAX_OUTPUT);
  });
  closeOutputAfterEnd(child, call.lingerMs ?? LINGER);
  child.on('error', (cause) => {
    clearTimeout(late);
    const missing = 'code' in cause && cause.code === 'ENOENT';
    const where = `credsStore or credHelpers in ${call.file}`;
    const hint = missing
      ? `Install the helper, or remove it from ${where}.`
      : `Check its permissions, or remove it from ${where}.`;
    reject(
      refuse(call, `names ${program}, which ${missing ? 'is not on PATH' : 'cannot be started'}`, { hint, cause }),
    );
  });
  child.on('close', (status, signal) => {
    clearTimeout(late);
    const end = status === null ? `killed: ${killed ?? signal}` : `exit ${status}`;
    resolve({ end, status: status ?? undefined, stdout: stdout.slice(-MAX_OUTPUT), stderr });
  });
  // A helper may exit without reading its input. That is no error.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return promise;
}

function failed(call: HelperCall, what: string, outcome: Outcome): ImagesError {
  const program = `docker-credential-${call.name}`;
  const words = lastWords(outcome);
  const hint = `See what \`echo ${call.server} | ${program} get\` says; log in anew, or remove the helper from ${call.file}.`;
  return refuse(call, `names ${program}, which ${what}${words && `: ${words}`}`, { hint, said: words });
}

/** The last output on both streams, but not of stdout if it looks like an answer, because that holds a secret. */
function lastWords({ stdout, stderr }: Outcome): string {
  const texts = [isObject(parsed(stdout)) || /"?Secret"?\s*:/i.test(stdout) ? '' : stdout, stderr];
  return texts
    .map((text) =>
      text
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean)
        .slice(-3)
        .join(' '),
    )
    .filter(Boolean)
    .map((text) => quote(text.slice(-MAX_WORDS), MAX_WORDS))
    .join('; ');
}

function refuse({ file }: HelperCall, what: string, details: ErrorDetails): ImagesError {
  return new ImagesError('CONFIG_INVALID', `${file} ${what}`, details);
}

/** Whether the words of "not found" occur in one clause, in this order. */
function saysNotFound(text: string): boolean {
  return NOTHING_THERE.test(text) || text.split(/[.;\n]/).some((clause) => hasInOrder(clause, NOT_FOUND));
}
