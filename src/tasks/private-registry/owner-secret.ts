// The secret by which commands on the same machine are known to a registry that runs: DIR/images/access/local, for its owner to read, and for the group `images`
// where the registry is a system service.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { writeFileAtomically } from '../../io/files/atomic-file.ts';
import { readOwnedText } from '../../io/files/believed-path.ts';
import { closedTo } from './images-group.ts';

export interface OwnerSecret {
  /** An absolute path. */
  readonly file: string;
  readonly secret: string;
}

export interface OwnerSecretOptions {
  /** The absolute path of the data directory. */
  readonly data: string;
  /** The user who runs the registry. */
  readonly uid: number;
  /** The group that may read it, too. */
  readonly group: number | undefined;
  /** Nothing can be written there: only a secret that is there already, and that others cannot read, is used. */
  readonly isReadOnly?: boolean;
  readonly onNotice: ((text: string) => void) | undefined;
}

/** 32 random bytes in base64url. */
const FORM = /^([A-Za-z0-9_-]{43})\n$/;

/** The secret in a file that this user owns; `undefined` for anything else: no such file, another user's, one that cannot be read, half of one. */
export function readOwnerSecret(file: string, uid: number): string | undefined {
  return ownedSecret(file, uid)?.secret;
}

/**
 * The secret of the store: the one of before, or a new one if there is none, if it is not whole, or if others than wanted could read it. Where it cannot be
 * written, commands have to log in like everybody else, and a notice says so: the registry is served all the same.
 */
export async function keptOwnerSecret(options: OwnerSecretOptions): Promise<OwnerSecret | undefined> {
  const { data, uid, isReadOnly = false, onNotice } = options;
  const file = join(data, 'images/access/local');
  const there = ownedSecret(file, uid);
  if (isReadOnly) return usedAsItIs(file, there, options);
  for (const group of options.group === undefined ? [undefined] : [options.group, undefined]) {
    const mode = group === undefined ? 0o600 : 0o640;
    const isAsWanted = there !== undefined && there.mode === mode && (group === undefined || there.gid === group);
    const wasKnownToOthers = there !== undefined && !isAsWanted && (there.mode & 0o077) !== 0;
    const secret = there === undefined || wasKnownToOthers ? randomBytes(32).toString('base64url') : there.secret;
    try {
      if (!isAsWanted) await write(file, secret, { mode, group });
      if (group !== undefined) tellWhatIsClosed(file, group, onNotice);
      return { file, secret };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      onNotice?.(
        group === undefined
          ? `commands on this machine have to log in: ${why}`
          : `the group \`images\` cannot be given ${file}, so its members have to log in: ${why}`,
      );
    }
  }
  return undefined;
}

/** Copies of a store often lose the modes of their files: on a DVD, everybody can read them all. */
function usedAsItIs(
  file: string,
  there: ReturnType<typeof ownedSecret>,
  { group, onNotice }: OwnerSecretOptions,
): OwnerSecret | undefined {
  if (!there) return undefined;
  const others = group !== undefined && there.gid === group ? 0o037 : 0o077;
  if ((there.mode & others) === 0) return { file, secret: there.secret };
  onNotice?.(`commands on this machine have to log in: others can read ${file}, and it cannot be made anew`);
  return undefined;
}

function ownedSecret(file: string, uid: number) {
  const read = readOwnedText(file, 100);
  const secret = read?.uid === uid ? FORM.exec(read.text)?.[1] : undefined;
  return read && secret !== undefined ? { secret, mode: read.mode, gid: read.gid } : undefined;
}

async function write(
  file: string,
  secret: string,
  { mode, group }: { readonly mode: number; readonly group: number | undefined },
): Promise<void> {
  const like = { mode, isStrict: true, ...(group !== undefined && { gid: group }) };
  await writeFileAtomically(file, `${secret}\n`, { like });
}

function tellWhatIsClosed(file: string, group: number, onNotice: OwnerSecretOptions['onNotice']): void {
  const closed = closedTo(group, file);
  if (closed === undefined) return;
  onNotice?.(`members of the group \`images\` have to log in: they cannot pass ${closed} to ${file}`);
}
