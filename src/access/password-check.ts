// Whether a password is the user's: by bcrypt in a thread of its own, and then remembered for a minute. Slows guessing by user and by address.
import { randomBytes } from 'node:crypto';
import { ImagesError } from '../oci/errors.ts';
import { attemptDelays, attemptKey, FREE_ATTEMPTS } from './attempt-delays.ts';
import { type BcryptThread, startBcryptThread } from './bcrypt-thread.ts';
import { costOf, type Htpasswd, whatIsWrongWithUser } from './htpasswd.ts';
import { tableKey } from './keyed-hash.ts';
import { whatIsWrongWithPassword } from './password-hash.ts';
import { rememberedHashes } from './remembered-hashes.ts';

export interface PasswordCheckOptions {
  /** As the file is now. */
  readonly users: () => Htpasswd;
  /** In ms; for tests. */
  readonly now?: () => number;
  /** For tests. */
  readonly thread?: BcryptThread;
}

/** What somebody says who they are. */
export interface PasswordAttempt {
  readonly user: string;
  readonly password: string;
  readonly address: string;
}

export interface PasswordCheck extends Disposable {
  /** At once if the password is remembered. Errors: UNAUTHORIZED, TOOMANYREQUESTS. */
  verify(attempt: PasswordAttempt): void | Promise<void>;
  /** Of one that was right: tells, whenever it is asked, whether `verify` would still say so at once. */
  recall(attempt: PasswordAttempt): () => boolean;
}

const REMEMBERED_FOR = 60_000;
const MAX_REMEMBERED = 1000;
const MAX_WAITING = 8;
const MAX_WAITING_PER_USER = 2;
const LONGEST_DELAY = { address: 10_000, user: 1000 };
/** Of a user that there is not, if there are no users at all. */
const COST = 10;
/** Who asks more often while an address has to wait, has to wait even with a password that is remembered: else those could be guessed without any delay. */
const MAX_EARLY = 100;

export function createPasswordCheck({ users, now = Date.now, thread }: PasswordCheckOptions): PasswordCheck {
  // A right password has a key that nobody can make who does not know this secret, so no comparison here tells anything by its time.
  const secret = randomBytes(32).toString('hex');
  const bcrypt = thread ?? startBcryptThread();
  const remembered = rememberedHashes({ ms: REMEMBERED_FOR, most: MAX_REMEMBERED, now });
  /** Wrong ones: clients send one several times, and programs again and again. Only another one is a guess. */
  const rejected = rememberedHashes({ ms: REMEMBERED_FOR, most: MAX_REMEMBERED, now });
  const byAddress = attemptDelays({ longest: LONGEST_DELAY.address, now });
  const byUser = attemptDelays({ longest: LONGEST_DELAY.user, now });
  const early = attemptDelays({ longest: 0, now });
  /** Verifications that are running or wait, by what is asked. */
  const pending = new Map<string, Pending>();

  const verify = (attempt: PasswordAttempt): void | Promise<void> => {
    const { user, password } = attempt;
    const address = attemptKey(attempt.address);
    const hash = users().get(user);
    // With the hash of the file, so that a changed one is forgotten at once; with the address, so that nobody elsewhere can guess what is remembered here.
    const question = tableKey(secret, [user, address, hash ?? '', password]);
    if (hash !== undefined && early.count(address) < MAX_EARLY && remembered.has(question)) return undefined;
    if (rejected.has(question)) throw wrongPassword();
    const same = pending.get(question);
    if (same) return same.answer;
    const who: Who = { user: tableKey(secret, [user]), address };
    slowDown(who);
    return canBeAttempt(attempt) ? ask(question, { ...who, name: user, password, hash }) : fail(question, who);
  };

  const slowDown = ({ user, address }: Who): void => {
    const wait = Math.max(byAddress.wait(address), byUser.wait(user));
    // It was wrong three times: no guesses side by side, either.
    const isBusy =
      byAddress.count(address) >= FREE_ATTEMPTS && [...pending.values()].some((one) => one.address === address);
    if (wait === 0 && !isBusy) return;
    // Nobody has to wait longer for asking too early: what runs by itself may ask often, with an old password, where others have the new one.
    early.failed(address);
    throw new ImagesError('TOOMANYREQUESTS', 'too many wrong passwords came from there, or for this user', {
      hint: `Try again in ${Math.max(1, Math.ceil(wait / 1000))} s.`,
    });
  };

  const ask = (question: string, asked: Asked): Promise<void> => {
    const ofUser = [...pending.values()].filter(({ user }) => user === asked.user).length;
    if (pending.size >= MAX_WAITING || ofUser >= MAX_WAITING_PER_USER) {
      throw new ImagesError('TOOMANYREQUESTS', 'too many passwords wait to be checked', { hint: 'Try again later.' });
    }
    const answer = compare(question, asked).finally(() => pending.delete(question));
    pending.set(question, { user: asked.user, address: asked.address, answer });
    return answer;
  };

  const compare = async (question: string, { name, password, hash, ...who }: Asked): Promise<void> => {
    const isRight = await bcrypt.compare(password, hash ?? absentHash(users(), who.user));
    // The file may have changed meanwhile.
    if (hash === undefined || !isRight || users().get(name) !== hash) fail(question, who);
    remembered.add(question);
    // Not those of the address: whoever has a password could then guess those of others from there.
    byUser.forget(who.user);
  };

  const fail = (question: string, { user, address }: Who): never => {
    rejected.add(question);
    byAddress.failed(address);
    byUser.failed(user);
    throw wrongPassword();
  };

  const recall = ({ user, password, address }: PasswordAttempt): (() => boolean) => {
    const key = attemptKey(address);
    const hash = users().get(user);
    const question = tableKey(secret, [user, key, hash ?? '', password]);
    return () =>
      hash !== undefined && users().get(user) === hash && early.count(key) < MAX_EARLY && remembered.has(question);
  };

  return { verify, recall, [Symbol.dispose]: () => bcrypt[Symbol.dispose]() };
}

function wrongPassword(): ImagesError {
  return new ImagesError('UNAUTHORIZED', 'wrong user name or password', { hint: 'Log in again: images login HOST.' });
}

/** As keys of tables. */
interface Who {
  /** A keyed hash: names may be long, and unknown ones too many. */
  readonly user: string;
  readonly address: string;
}

interface Asked extends Who {
  readonly name: string;
  readonly password: string;
  /** Of the file; absent if there is no such user. */
  readonly hash: string | undefined;
}

interface Pending extends Who {
  readonly answer: Promise<void>;
}

/** What bcrypt would not hash as it is, no user has. */
function canBeAttempt({ user, password }: PasswordAttempt): boolean {
  return whatIsWrongWithUser(user) === undefined && whatIsWrongWithPassword(password) === undefined;
}

/** A hash for those who are no users, so that checking them takes as long as for one who is: the cost is that of some user, the same one for the same name. */
function absentHash(users: Htpasswd, ofUser: string): string {
  const hashes = [...users.values()];
  const some = hashes[Buffer.from(ofUser, 'base64url').readUInt32BE() % Math.max(1, hashes.length)];
  const cost = some === undefined ? COST : costOf(some);
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;
}
