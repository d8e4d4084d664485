// What registry.toml says of who may do what: read_only, read_only_from, write_from, trusted_proxies, auth, [[rule]].
import { dirname, resolve } from 'node:path';
import type { AddressRange } from '../../access/address-range.ts';
import { ACTIONS, type Action } from '../../access/contract.ts';
import type { AccessRule } from '../../access/rules.ts';
import { isObject, type Json } from '../../oci/decode.ts';
import { isImagesError } from '../../oci/errors.ts';
import { isRepositoryPattern } from '../../registry/policies/image-glob.ts';
import { type Fail, ifGiven, refuseUnknown, shown, type TomlPath } from './toml-values.ts';
import { writingNetworks } from './writing-networks.ts';

export interface AccessConfig {
  readonly readOnly?: boolean;
  readonly readOnlyFrom?: readonly AddressRange[];
  /** From where those may write who have not logged in. */
  readonly writeFrom?: readonly AddressRange[];
  /** Proxies that say who asks (X-Forwarded-For). */
  readonly trustedProxies?: readonly AddressRange[];
  /** A file of users and bcrypt hashes. */
  readonly htpasswd?: string;
  readonly rules?: readonly AccessRule[];
}

export const ACCESS_KEYS = ['read_only', 'read_only_from', 'write_from', 'trusted_proxies', 'auth', 'rule'];
const RULE_KEYS = ['repositories', 'users', 'from', 'allow'];
/** As `--auth` writes it. */
const HTPASSWD = 'htpasswd:';

export interface AccessSource {
  /** The configuration's: names of files in it are relative to its directory. */
  readonly file: string;
  /** Users cannot log in but by what the configuration says: rules that name some need `auth` in it. */
  readonly isAlone?: boolean;
}

export function accessConfig(content: Json, { file, isAlone = false }: AccessSource, fail: Fail): AccessConfig {
  const readOnly = ifGiven(content.read_only, (value) => truth(value, ['read_only'], fail));
  const readOnlyFrom = ifGiven(content.read_only_from, (value) => ranges(value, ['read_only_from'], fail));
  const writeFrom = ifGiven(content.write_from, (value) => ranges(value, ['write_from'], fail));
  const trustedProxies = ifGiven(content.trusted_proxies, (value) => ranges(value, ['trusted_proxies'], fail));
  const htpasswd = ifGiven(content.auth, (value) => {
    const named = typeof value === 'string' ? htpasswdFile(value) : undefined;
    return resolve(
      dirname(file),
      named ?? fail(['auth'], `auth is not a way to log in [${shown(value)}]`, 'Write auth = "htpasswd:FILE".'),
    );
  });
  const rules = ifGiven(content.rule, (value) => {
    if (!Array.isArray(value))
      return fail(['rule'], 'rule is not a list of tables', 'Begin each rule with a line [[rule]].');
    return value.map((one, at) => accessRule(one, ['rule', at], fail));
  });
  const named = rules?.findIndex(({ users }) => users !== undefined) ?? -1;
  if (named >= 0 && htpasswd === undefined && isAlone) {
    fail(
      ['rule', named, 'users'],
      'a rule names users, but nobody can log in',
      'Add auth = "htpasswd:FILE" before the rules, or start the registry with --auth=htpasswd:FILE.',
    );
  }
  return {
    ...(readOnly !== undefined && { readOnly }),
    ...(readOnlyFrom && { readOnlyFrom }),
    ...(writeFrom && { writeFrom }),
    ...(trustedProxies && { trustedProxies }),
    ...(htpasswd !== undefined && { htpasswd }),
    ...(rules && { rules }),
  };
}

/** The file that `htpasswd:FILE` names; `undefined` for any other text. */
export function htpasswdFile(text: string): string | undefined {
  return text.startsWith(HTPASSWD) && text.length > HTPASSWD.length ? text.slice(HTPASSWD.length) : undefined;
}

function accessRule(value: unknown, path: TomlPath, fail: Fail): AccessRule {
  if (!isObject(value)) return fail(path, 'rule is not a list of tables', 'Begin each rule with a line [[rule]].');
  refuseUnknown(value, path, RULE_KEYS, fail);
  const { repositories = '**' } = value;
  if (typeof repositories !== 'string' || !isRepositoryPattern(repositories)) {
    return fail(
      [...path, 'repositories'],
      `not a pattern for repositories [${shown(repositories)}]`,
      'Write the name of one, with * and ?: "team/**".',
    );
  }
  const users = ifGiven(value.users, (names) => texts(names, [...path, 'users'], fail));
  const from = ifGiven(value.from, (names) => ranges(names, [...path, 'from'], fail));
  const allow = texts(value.allow, [...path, 'allow'], fail).map((word) => action(word, [...path, 'allow'], fail));
  return { repositories, allow, ...(users && { users }), ...(from && { from }) };
}

function action(word: string, path: TomlPath, fail: Fail): Action {
  const found = ACTIONS.find((known) => known === word);
  return found ?? fail(path, `unknown action [${shown(word)}]`, `Known here: ${ACTIONS.join(', ')}.`);
}

function ranges(value: unknown, path: TomlPath, fail: Fail): readonly AddressRange[] {
  const names = texts(value, path, fail);
  try {
    return writingNetworks(names);
  } catch (error) {
    if (!isImagesError(error, 'USAGE')) throw error;
    return fail(
      path,
      error.message,
      'Write "local", "vms", or ranges such as "192.168.0.0/24". All addresses are "0.0.0.0/0", "::/0".',
    );
  }
}

function texts(value: unknown, path: TomlPath, fail: Fail): readonly string[] {
  if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value;
  const key = path.at(-1);
  return fail(path, `${key} is not a list of texts [${shown(value)}]`, `Write ${key} = ["…", "…"].`);
}

function truth(value: unknown, path: TomlPath, fail: Fail): boolean {
  if (typeof value === 'boolean') return value;
  return fail(path, `${path.at(-1)} is neither true nor false [${shown(value)}]`, `Write ${path.at(-1)} = true.`);
}
