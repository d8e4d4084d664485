// Files of users and hashed passwords as `htpasswd -B` of Apache writes them: `USER:HASH` in each line. Of the hashes only bcrypt is read: the others are quick
// to guess. Pure.
import { quote } from '../io/text/quote.ts';
import { ImagesError } from '../oci/errors.ts';

/** The hash by user. */
export type Htpasswd = ReadonlyMap<string, string>;

/** The user of Basic credentials whose password is the token of a machine. */
export const TOKEN_USER = 'token';

/** bcrypt hashes only so many bytes of a password, and stops at a NUL (without a word). */
export const MAX_PASSWORD_BYTES = 72;

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** A hash takes some 130 ms at cost 10, and twice as long for each more. A single thread checks all of them. */
const COSTS = { least: 4, most: 14 };
const MAX_USER_BYTES = 255;

interface Line {
  /** Without its end. */
  readonly text: string;
  /** `\n`, `\r\n`, or nothing at the end of the file. */
  readonly end: string;
  /** Absent for comments and blank lines. */
  readonly user?: string;
  readonly hash?: string;
}

/** `file` is for messages. Errors: CONFIG_INVALID, with file and line. */
export function parseHtpasswd(file: string, text: string): Htpasswd {
  return usersOf(file, linesOf(file, text));
}

/** The file with another hash for this user, or without the user; all other lines stay as they are. Errors: CONFIG_INVALID, USAGE. */
export function changedHtpasswd(
  { file, text }: { readonly file: string; readonly text: string },
  user: string,
  hash: string | undefined,
): string {
  const wrong = whatIsWrongWithUser(user) ?? (hash === undefined ? undefined : whatIsWrongWithHash(hash));
  if (wrong !== undefined) throw new ImagesError('USAGE', `${wrong} [${quote(user)}]`);
  const lines = linesOf(file, text);
  const users = usersOf(file, lines);
  const changed = lines.flatMap((line) => {
    if (line.user !== user) return [`${line.text}${line.end}`];
    return hash === undefined ? [] : [`${user}:${hash}${line.end}`];
  });
  if (hash === undefined || users.has(user)) return changed.join('');
  const last = lines.at(-1);
  const end = lines[0]?.end === '\r\n' ? '\r\n' : '\n';
  return `${changed.join('')}${last && last.end === '' ? end : ''}${user}:${hash}${end}`;
}

/** The cost of a hash that `parseHtpasswd` has let pass. */
export function costOf(hash: string): number {
  return Number(BCRYPT.exec(hash)?.[1]);
}

/** What no user can be called, in words. */
export function whatIsWrongWithUser(user: string): string | undefined {
  if (user === '') return 'a user has no name';
  if (user === TOKEN_USER) return `no user can be called ${TOKEN_USER}: that is the name for tokens of machines`;
  if (/[\p{Cc}:]|^#|^\s|\s$/u.test(user)) return 'not the name of a user';
  return Buffer.byteLength(user) > MAX_USER_BYTES ? `a user's name has more than ${MAX_USER_BYTES} bytes` : undefined;
}

function whatIsWrongWithHash(hash: string): string | undefined {
  const cost = costOf(hash);
  if (Number.isNaN(cost)) return 'the password is not hashed with bcrypt';
  if (cost >= COSTS.least && cost <= COSTS.most) return undefined;
  return `the password is hashed with a cost that is not ${COSTS.least} to ${COSTS.most}`;
}

function usersOf(file: string, lines: readonly Line[]): Htpasswd {
  const users = new Map<string, string>();
  for (const [at, { user, hash }] of lines.entries()) {
    if (user === undefined || hash === undefined) continue;
    if (users.has(user)) refuseLine(file, at, `the user is there twice [${quote(user)}]`);
    users.set(user, hash);
  }
  return users;
}

function linesOf(file: string, text: string): readonly Line[] {
  const plain = text.replace(/^\uFEFF/, '');
  return [...plain.matchAll(/([^\n]*?)(\r?\n|$)/g)]
    .filter(([whole]) => whole !== '')
    .map(([, line = '', end = ''], at) => ({ text: line, end, ...parseLine(file, line, at) }));
}

function parseLine(file: string, line: string, at: number): Pick<Line, 'user' | 'hash'> {
  if (/^\s*(?:#.*)?$/.test(line)) return {};
  const colon = line.indexOf(':');
  // The line is not quoted: it may be a password.
  if (colon < 0) refuseLine(file, at, 'it is not USER:HASH');
  const user = line.slice(0, colon);
  const hash = line.slice(colon + 1).trimEnd();
  const wrong = whatIsWrongWithUser(user) ?? whatIsWrongWithHash(hash);
  if (wrong !== undefined) refuseLine(file, at, wrong);
  return { user, hash };
}

function refuseLine(file: string, at: number, what: string): never {
  throw new ImagesError('CONFIG_INVALID', `${file}:${at + 1}: ${what}`, {
    hint: 'Write passwords with `htpasswd -B FILE USER`, or with `images lreg_passwd --file=FILE USER`.',
  });
}
