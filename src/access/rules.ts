// What an asker may do: rules only allow, so what no rule names is forbidden. Pure.
import { matchesGlob } from '../registry/policies/image-glob.ts';
import { spellings } from '../registry/policies/name-lookup.ts';
import type { AddressRange } from './address-range.ts';
import { isUnknownClient } from './asker-address.ts';
import type { Action, Asker } from './contract.ts';

export interface AccessRule {
  /** A pattern for repositories, as in image-glob.ts. */
  readonly repositories: string;
  /** Names of users; `*` stands for everyone who has logged in. Absent: for everyone. */
  readonly users?: readonly string[];
  /** Absent: from anywhere. */
  readonly from?: readonly AddressRange[];
  readonly allow: readonly Action[];
}

export interface AccessRules {
  readonly rules: readonly AccessRule[];
  /** Nobody writes. */
  readonly readOnly?: boolean;
  /** Nobody writes from there. */
  readonly readOnlyFrom?: readonly AddressRange[];
}

/**
 * Whether the asker may do this; without a repository, with all of them. The owner may do everything that a read-only registry allows.
 */
export function mayDo(rules: AccessRules, asker: Asker, action: Action, repository?: string): boolean {
  if (action !== 'pull' && isReadOnlyFor(rules, asker)) return false;
  if (asker.via === 'owner') return true;
  if (asker.scopes && !asker.scopes.some((scope) => allows(scope, action, repository))) return false;
  if (asker.via === 'machine') return asker.scopes !== undefined;
  return rules.rules.some(
    ({ repositories, users, from, allow }) =>
      allow.includes(action) &&
      matchesRepository(repositories, repository) &&
      (users === undefined || isAmong(users, asker.user)) &&
      (from === undefined || from.some((range) => range.has(asker.address))),
  );
}

function isReadOnlyFor({ readOnly = false, readOnlyFrom = [] }: AccessRules, { address }: Asker): boolean {
  if (readOnly) return true;
  // Who hides behind a proxy may be there.
  return readOnlyFrom.some((range) => range.has(address)) || (readOnlyFrom.length > 0 && isUnknownClient(address));
}

function allows(
  { repositories, actions }: { readonly repositories: string; readonly actions: readonly Action[] },
  action: Action,
  repository: string | undefined,
): boolean {
  return actions.includes(action) && matchesRepository(repositories, repository);
}

/** `alpine` and `library/alpine` are one repository to clients; a rule for one of them is a rule for both. */
function matchesRepository(pattern: string, repository: string | undefined): boolean {
  if (pattern === '**') return true;
  return repository !== undefined && spellings(repository).some((name) => matchesGlob(pattern, name));
}

function isAmong(users: readonly string[], user: string | undefined): boolean {
  return user !== undefined && (users.includes('*') || users.includes(user));
}
