// Who may do what with a registry that runs: options come before the configuration, which may change while it runs.
import { resolve } from 'node:path';
import type { AddressRange } from '../../access/address-range.ts';
import type { MayDo } from '../../access/permitted.ts';
import { type AccessRule, type AccessRules, mayDo } from '../../access/rules.ts';
import { ImagesError } from '../../oci/errors.ts';
import { type AccessConfig, htpasswdFile } from './access-config.ts';
import { DEFAULT_WRITERS, writingNetworks } from './writing-networks.ts';

/** What an operator says on the command line. Ranges as `writingNetworks` takes them. */
export interface AccessOptions {
  /** Nobody writes. */
  readonly readOnly?: boolean;
  /** From where nobody writes. */
  readonly readOnlyFrom?: readonly string[];
  /** From where those may write who have not logged in. */
  readonly writeFrom?: readonly string[];
  /** Proxies whose X-Forwarded-For says who asks. */
  readonly trustedProxies?: readonly string[];
  /** `htpasswd:FILE`: users and passwords, with bcrypt. Read at start; its content may change while the registry runs. */
  readonly auth?: string;
}

/** Decisions that are remembered: a pull asks the same for each blob. For each token, as many as it may name repositories and some more. */
const MOST_REMEMBERED = 10_000;
const MOST_OF_TOKEN = 100;
const DEFAULT_FROM: readonly AddressRange[] = writingNetworks(DEFAULT_WRITERS);

/** The configuration, with what the command line says in place of its own. Errors: USAGE. */
export function accessSettings(options: AccessOptions, config: AccessConfig): AccessConfig {
  const { readOnly, readOnlyFrom, writeFrom, trustedProxies, auth } = options;
  const htpasswd = auth === undefined ? undefined : htpasswdFile(auth);
  if (auth !== undefined && htpasswd === undefined) {
    throw new ImagesError('USAGE', `not a way to log in [--auth=${auth}]`, { hint: 'Write --auth=htpasswd:FILE.' });
  }
  return {
    ...config,
    ...(readOnly && { readOnly }),
    ...(htpasswd !== undefined && { htpasswd: resolve(htpasswd) }),
    ...(readOnlyFrom?.length && { readOnlyFrom: writingNetworks(readOnlyFrom) }),
    ...(writeFrom?.length && { writeFrom: writingNetworks(writeFrom) }),
    ...(trustedProxies?.length && { trustedProxies: writingNetworks(trustedProxies) }),
  };
}

/**
 * Without rules of its own, everybody pulls. Then those write who have logged in; or, where nobody can log in, this machine and its VMs. `write_from` adds to
 * the rules whatever else they say.
 */
export function rulesOf({ readOnly, readOnlyFrom, writeFrom, htpasswd, rules }: AccessConfig): AccessRules {
  const from = writeFrom ?? (htpasswd === undefined && !rules ? DEFAULT_FROM : undefined);
  const usual: readonly AccessRule[] = [
    { repositories: '**', allow: ['pull'] },
    ...(htpasswd === undefined ? [] : [{ repositories: '**', users: ['*'], allow: ['push', 'delete'] } as const]),
  ];
  return {
    rules: [...(rules ?? usual), ...(from ? [{ repositories: '**', from, allow: ['push', 'delete'] } as const] : [])],
    ...(readOnly !== undefined && { readOnly }),
    ...(readOnlyFrom && { readOnlyFrom }),
  };
}

/** `access` is asked each time: with other settings, what was decided before is forgotten. */
export function permissions(access: () => AccessConfig): MayDo {
  let settings: AccessConfig | undefined;
  let rules: AccessRules = { rules: [] };
  let decided = new Map<string, boolean>();
  /** A token that is used again has the same scopes, not only equal ones. */
  let ofTokens = new WeakMap<object, Map<string, boolean>>();
  let since = 0;
  return (asker, action, repository) => {
    const now = access();
    // Networks come and go, so nothing is remembered for long.
    if (now !== settings || performance.now() - since > 5000) {
      if (now !== settings) rules = rulesOf(now);
      settings = now;
      decided = new Map();
      ofTokens = new WeakMap();
      since = performance.now();
    }
    const { scopes } = asker;
    const before = scopes === undefined ? decided : (ofTokens.get(scopes) ?? new Map<string, boolean>());
    if (scopes) ofTokens.set(scopes, before);
    const key = `${asker.via}\0${asker.user ?? ''}\0${asker.address}\0${action}\0${repository ?? '\0'}`;
    const known = before.get(key);
    if (known !== undefined) return known;
    const may = mayDo(rules, asker, action, repository);
    if (before.size < (scopes ? MOST_OF_TOKEN : MOST_REMEMBERED)) before.set(key, may);
    return may;
  };
}
