// What registry.toml says of who may do what: read_only, read_only_from, write_from, trusted_proxies, auth, [[rule]].
import { dirname, resolve } from 'node:path';
import type { AddressRange } from '../../access/address-range.ts';
import { ACTIONS, type Action } from '../../access/contract.ts';
import type { AccessRule } from '../../access/rules.ts';
import type { Json } from '../../oci/decode.ts';
import { nearest } from '../../oci/nearest.ts';
import { isRepositoryPattern } from '../../registry/policies/image-glob.ts';
import {
  checkedBy,
  each,
  type Fail,
  ifGiven,
  isTable,
  listOfTexts,
  shown,
  type TomlPath,
  type TomlReading,
  trueOrFalse,
} from './toml-values.ts';
import { refuseUnknown } from './unknown-keys.ts';
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

/** As `--auth` writes it. */
const HTPASSWD = 'htpasswd:';

export interface AccessSource {
  /** The configuration's: names of files in it are relative to its directory. */
  readonly file: string;
  /** Users cannot log in but by what the configuration says: rules that name some need `auth` in it. */
  readonly isAlone?: boolean;
}

export function accessConfig(
  content: Json,
  { file, isAlone = false }: AccessSource,
  reading: TomlReading,
): AccessConfig {
  const { fail, attempt } = reading;
  const read = <T>(key: string, of: (value: unknown) => T) => attempt(() => ifGiven(content[key], of));
  const readOnly = read('read_only', (value) => trueOrFalse(value, ['read_only'], fail));
  const readOnlyFrom = read('read_only_from', (value) => ranges(value, ['read_only_from'], fail));
  const writeFrom = read('write_from', (value) => ranges(value, ['write_from'], fail));
  const trustedProxies = read('trusted_proxies', (value) => ranges(value, ['trusted_proxies'], fail));
  const htpasswd = read('auth', (value) => {
    const named = typeof value === 'string' ? htpasswdFile(value) : undefined;
    return resolve(
      dirname(file),
      named ?? fail(['auth'], `auth is not a way to log in [${shown(value)}]`, 'Write auth = "htpasswd:FILE".'),
    );
  });
  const rules = read('rule', (value) => {
    if (!Array.isArray(value))
      return fail(['rule'], 'rule is not a list of tables', 'Begin each rule with a line [[rule]].');
    return each(value, reading, (one, at) => accessRule(one, ['rule', at], reading));
  });
  const named = rules?.findIndex(({ users }) => users !== undefined) ?? -1;
  if (named >= 0 && content.auth === undefined && isAlone) {
    attempt(() =>
      fail(
        ['rule', named, 'users'],
        'a rule names users, but nobody can log in',
        'Add auth = "htpasswd:FILE" before the rules, or start the registry with --auth=htpasswd:FILE.',
      ),
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

function accessRule(value: unknown, path: TomlPath, reading: TomlReading): AccessRule {
  const { fail } = reading;
  if (!isTable(value)) return fail(path, 'rule is not a list of tables', 'Begin each rule with a line [[rule]].');
  refuseUnknown(value, path, reading);
  const { repositories = '**' } = value;
  if (typeof repositories !== 'string' || !isRepositoryPattern(repositories)) {
    return fail(
      [...path, 'repositories'],
      `not a pattern for repositories [${shown(repositories)}]`,
      'Write the name of one, with * and ?: "team/**".',
    );
  }
  const users = ifGiven(value.users, (names) => listOfTexts(names, [...path, 'users'], fail));
  const from = ifGiven(value.from, (names) => ranges(names, [...path, 'from'], fail));
  const allow = listOfTexts(value.allow, [...path, 'allow'], fail).map((word) =>
    action(word, [...path, 'allow'], fail),
  );
  return { repositories, allow, ...(users && { users }), ...(from && { from }) };
}

function action(word: string, path: TomlPath, fail: Fail): Action {
  const found = ACTIONS.find((known) => known === word);
  const meant = nearest(word, ACTIONS);
  const hint = meant === undefined ? `Known here: ${ACTIONS.join(', ')}.` : `Did you mean ${meant}?`;
  return found ?? fail(path, `unknown action [${shown(word)}]`, hint);
}

function ranges(value: unknown, path: TomlPath, fail: Fail): readonly AddressRange[] {
  const names = listOfTexts(value, path, fail);
  return checkedBy(
    () => writingNetworks(names),
    path,
    fail,
    'Write "local", "vms", or ranges such as "192.168.0.0/24". All addresses are "0.0.0.0/0", "::/0".',
  );
}
