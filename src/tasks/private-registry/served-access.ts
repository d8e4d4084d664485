// How clients of a registry that runs are known: by users and passwords if its configuration or `--auth` names a file of them, else by their addresses.
import { createHash, randomBytes } from 'node:crypto';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccessControl } from '../../access/contract.ts';
import type { MayDo } from '../../access/permitted.ts';
import { withoutLogin } from '../../access/without-login.ts';
import { writeFileAtomically } from '../../io/files/atomic-file.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import { isImagesError } from '../../oci/errors.ts';
import { isThisMachine } from './serving-access.ts';

const KEY_LENGTH = 32;

export interface ServedAccessOptions {
  readonly data: string;
  /** The file of users; absent where nobody logs in. */
  readonly htpasswd: string | undefined;
  readonly mayDo: MayDo;
  readonly onNotice: ((text: string) => void) | undefined;
}

/** Errors: CONFIG_INVALID, FILE_UNREADABLE (the file of users), NO_ACCESS, NO_SPACE (the key of tokens). */
export async function servedAccess({
  data,
  htpasswd,
  mayDo,
  onNotice,
}: ServedAccessOptions): Promise<AccessControl & Disposable> {
  if (htpasswd === undefined) return { ...withoutLogin(mayDo, isThisMachine), [Symbol.dispose]: () => undefined };
  const { createAccessControl } = await import('../../access/login-control.ts');
  const key = await tokenKey(join(data, 'images/access/key'));
  return await createAccessControl({
    mayDo,
    htpasswd: { file: htpasswd },
    key,
    issuer: `images-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`,
    isLocal: isThisMachine,
    ...(onNotice && { onNotice }),
  });
}

/** Made at first use, for its owner only. With another key, tokens that were given before are refused: so after each start, if the store cannot be written to. */
async function tokenKey(file: string): Promise<Uint8Array> {
  try {
    const key = await readFile(file);
    if (key.length === KEY_LENGTH) return key;
  } catch (error) {
    if (!isFsError(error, 'ENOENT')) throw error;
  }
  const key = randomBytes(KEY_LENGTH);
  try {
    await writeFileAtomically(file, key, { mode: 0o600 });
    await chmod(file, 0o600);
  } catch (error) {
    if (!isImagesError(error, 'READ_ONLY')) throw error;
  }
  return key;
}
