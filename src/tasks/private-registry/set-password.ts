// `lreg_passwd`: users of the embedded registry, in the file of passwords that it is given.
import { resolve } from 'node:path';
import { changedHtpasswd } from '../../access/htpasswd.ts';
import { hashPassword } from '../../access/password-hash.ts';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { acquireLock } from '../../io/files/lock.ts';
import { readIfThere } from '../../io/files/read-config-file.ts';
import { replaceFile } from '../../io/files/replace-file.ts';
import { behindLinks } from '../../io/files/special-file.ts';
import { checkArguments, objectWith, TEXT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { SETTINGS } from '../arguments.ts';
import { callOptions, type Settings } from '../settings.ts';
import { namedConfig, withNamedData } from './named-config.ts';
import { readRegistryToml } from './registry-config.ts';
import { dataDirectory, runningRegistry } from './registry-state.ts';

export interface PasswordChange {
  readonly user: string;
  /** Absent: the user is removed. */
  readonly password?: string;
  /** The file of users; default: that of the running registry, else what `auth` in the registry's configuration names. */
  readonly file?: string;
}

/**
 * Sets the password of a user, or removes the user; all other lines stay. A new file is for its owner to read. Errors: USAGE (no file is named, such a name or
 * password cannot be, there is no such user), CONFIG_INVALID, NO_ACCESS, NO_SPACE.
 */
export async function setPassword(change: PasswordChange, settings: Settings): Promise<{ readonly file: string }> {
  checkArguments({ change: [change, objectWith({ user: TEXT })], settings: [settings, SETTINGS] });
  const { user, password } = change;
  const file = resolve(change.file ?? (await configuredFile(settings)));
  const hash = password === undefined ? undefined : await hashPassword(password);
  // Of two changes at once, the second sees the first.
  const lock = `${await behindLinks(file)}.lock`;
  await using _lock = await translatingFsErrors(file, () => acquireLock(lock, callOptions(settings)));
  const text = await readIfThere(file);
  const changed = changedHtpasswd({ file, text: text ?? '' }, user, hash);
  if (hash === undefined && changed === (text ?? '')) {
    throw new ImagesError('USAGE', `no such user in ${file} [${user}]`);
  }
  await replaceFile(file, changed, { mode: 0o600 });
  return { file };
}

async function configuredFile(given: Settings): Promise<string> {
  const settings = await withNamedData(given);
  const data = dataDirectory(settings);
  const { users } = (settings.config === undefined && runningRegistry(data, settings)) || {};
  if (users !== undefined) return users;
  const { access } = await readRegistryToml(data, namedConfig(data, settings));
  if (access.htpasswd !== undefined) return access.htpasswd;
  throw new ImagesError('USAGE', 'no file of users is named', {
    hint: 'Name it with --file=FILE, start the registry with --auth=htpasswd:FILE, or write auth = "htpasswd:FILE" into registry.toml.',
  });
}
