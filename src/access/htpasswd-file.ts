// A file of passwords that may change at any time: it is looked at again at most once a second. If it breaks, what was read before still holds.
import { readFile, stat } from 'node:fs/promises';
import { quote } from '../io/text/quote.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { type Htpasswd, parseHtpasswd } from './htpasswd.ts';

export interface HtpasswdFile {
  readonly users: () => Htpasswd;
  /** Reads the file anew if it has changed; `undefined` if it was looked at a moment ago. */
  look(): Promise<void> | undefined;
  /** The same now, whenever it was looked at. */
  lookNow(): Promise<void>;
}

export interface HtpasswdFileOptions {
  readonly file: string;
  /** In ms. */
  readonly now: () => number;
  readonly onNotice?: (text: string) => void;
}

const LOOK_EVERY = 1000;
/** A file that has changed just now may change once more within the same tick of its clock. */
const YOUNG = 2000;
/** Some 200,000 users. */
const MAX_BYTES = 16n * 1024n * 1024n;

/** Errors: CONFIG_INVALID, with file and line; FILE_UNREADABLE. */
export async function openHtpasswdFile({ file, now, onNotice }: HtpasswdFileOptions): Promise<HtpasswdFile> {
  let read = await readHtpasswd(file);
  let lookedAt = now();
  let told: string | undefined;
  let looking: Promise<void> | undefined;

  const tell = (text: string): void => {
    if (text !== told) onNotice?.(text);
    told = text;
  };
  let isOpenTold = false;
  const tellIfOpen = (): void => {
    if (read.isOpen && !isOpenTold) {
      onNotice?.(`everybody on this machine can let themselves in by the file of passwords: chmod o-w ${quote(file)}`);
    }
    isOpenTold = read.isOpen;
  };
  tellIfOpen();
  const lookNow = async (): Promise<void> => {
    try {
      const state = await stateOf(file);
      if (!read.isYoung && state.version === read.version) return;
      read = await readHtpasswd(file);
      told = undefined;
      tellIfOpen();
    } catch (error) {
      if (!isImagesError(error)) throw error;
      read = { ...read, isYoung: true };
      tell(`the passwords are those from before, because the file is broken: ${error.message}`);
    }
  };
  return {
    users: () => read.users,
    look: () => {
      const age = now() - lookedAt;
      if (!looking && age >= 0 && age < LOOK_EVERY) return undefined;
      lookedAt = now();
      looking ??= lookNow().finally(() => {
        looking = undefined;
      });
      return looking;
    },
    // A look that has begun may have read the file before it changed.
    lookNow: async () => {
      await looking;
      await lookNow();
    },
  };
}

interface ReadFile {
  readonly users: Htpasswd;
  readonly version: string;
  readonly isYoung: boolean;
  /** Everybody can write it. */
  readonly isOpen: boolean;
}

async function readHtpasswd(file: string): Promise<ReadFile> {
  // First: what changes while it is read counts as changed.
  const { isFile, bytes, ...state } = await stateOf(file);
  // A pipe may never end, and reading too much holds up everybody.
  if (!isFile) unreadable(file, 'it is no regular file');
  if (bytes > MAX_BYTES) unreadable(file, 'it has more than 16 MiB');
  const text = await readFile(file, 'utf8').catch((cause) => unreadable(file, cause));
  return { users: parseHtpasswd(file, text), ...state };
}

interface FileState extends Omit<ReadFile, 'users'> {
  readonly isFile: boolean;
  readonly bytes: bigint;
}

async function stateOf(file: string): Promise<FileState> {
  const found = await stat(file, { bigint: true }).catch((cause) => unreadable(file, cause));
  const { ino, size, mtimeNs, ctimeNs } = found;
  const age = Date.now() - Number(ctimeNs / 1_000_000n);
  return {
    version: `${ino} ${size} ${mtimeNs} ${ctimeNs}`,
    isYoung: age < YOUNG,
    isOpen: (found.mode & 0o002n) !== 0n,
    isFile: found.isFile(),
    bytes: size,
  };
}

function unreadable(file: string, cause: unknown): never {
  const why = cause instanceof Error && 'code' in cause ? cause.code : cause;
  const code = typeof why === 'string' ? ` (${why})` : '';
  throw new ImagesError('FILE_UNREADABLE', `the file of passwords cannot be read [${quote(file)}]${code}`, {
    cause,
    hint: `\`images lreg_passwd --file=${quote(file)} USER\` makes it; --auth names another.`,
  });
}
