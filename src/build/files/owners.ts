// Resolves users and groups by name, in the image's own /etc/passwd and /etc/group.
import { ImagesError } from '../../oci/errors.ts';
import { nearest } from '../../oci/nearest.ts';

export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

export interface Accounts {
  readonly users: readonly PasswdEntry[];
  readonly groups: readonly GroupEntry[];
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface User extends Owner {
  readonly groups: readonly number[];
  readonly home: string;
}

export function parseAccounts(passwd: string, group: string): Accounts {
  const users = fieldsOf(passwd).flatMap(([name = '', , uid = '', gid = '', , home = '']) =>
    isId(uid) && isId(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : [],
  );
  const groups = fieldsOf(group).flatMap(([name = '', , gid = '', members = '']) =>
    isId(gid) ? [{ name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') }] : [],
  );
  return { users, groups };
}

/** Whether names have to be looked up. */
export function hasNames(owner: string): boolean {
  return owner.split(':').some((part) => part !== '' && !isId(part));
}

/** The owner for `--chown`. A numeric user without a group gets the group with the same number; a named user gets its own group. Errors: PATH_UNKNOWN (unknown name). */
export function ownerOf(text: string, accounts: Accounts): Owner {
  const [user = '', group] = partsOf(text);
  const known = user === '' || isId(user) ? undefined : userNamed(user, accounts);
  const uid = known?.uid ?? Number(user || 0);
  return { uid, gid: group === undefined ? (known?.gid ?? uid) : groupId(group, accounts) };
}

/** The user for USER. A number that is unknown in the image has group 0; a known one has that user's groups. Errors: PATH_UNKNOWN (unknown name). */
export function userOf(text: string, accounts: Accounts): User {
  const [user = '', group] = partsOf(text === '' ? '0' : text);
  const known = isId(user)
    ? accounts.users.find(({ uid }) => uid === Number(user))
    : userNamed(user === '' ? 'root' : user, accounts);
  const uid = known?.uid ?? Number(user || 0);
  const home = known?.home || '/';
  if (group !== undefined) {
    const gid = groupId(group, accounts);
    return { uid, gid, groups: [gid], home };
  }
  const groups = known
    ? accounts.groups.filter(({ members }) => members.includes(known.name)).map(({ gid }) => gid)
    : [];
  const gid = known?.gid ?? 0;
  // The primary group is also a supplementary one, as after a login: otherwise dropping it would give access to files that deny it (CVE-2022-36109).
  return { uid, gid, groups: [...new Set([gid, ...groups])], home };
}

function partsOf(text: string): readonly [string, string | undefined] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

function userNamed(name: string, { users }: Accounts): PasswdEntry {
  const found = users.find((each) => each.name === name);
  if (found) return found;
  // Root always exists, also in images without a passwd.
  if (name === 'root') return { name, uid: 0, gid: 0, home: '/root' };
  throw unknown('user', name, users);
}

function groupId(text: string, { groups }: Accounts): number {
  if (isId(text)) return Number(text);
  const found = groups.find((each) => each.name === text);
  if (found) return found.gid;
  if (text === 'root' || text === '') return 0;
  throw unknown('group', text, groups);
}

function unknown(what: 'user' | 'group', name: string, known: readonly { readonly name: string }[]): ImagesError {
  const file = what === 'user' ? '/etc/passwd' : '/etc/group';
  const meant = nearest(
    name,
    known.map((each) => each.name),
  );
  return new ImagesError('PATH_UNKNOWN', `the image has no such ${what} [${name}]`, {
    hint: meant
      ? `Did you mean ${meant}?`
      : `Its ${file} does not name it: write the number, or make it with RUN before.`,
  });
}

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= 0xffffffff;
}

function fieldsOf(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}
