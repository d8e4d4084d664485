// The claims of tokens beside those that are registered (RFC 7519, section 4.3). They are signed, and decoded like anything that comes from outside all the same.
import { isObject } from '../oci/decode.ts';
import { ImagesError } from '../oci/errors.ts';
import { ACTIONS, type AccessScope, type Action } from './contract.ts';

export interface TokenClaims {
  /** The user. */
  readonly sub?: string;
  /** A keyed hash of what the file of passwords has for the user. */
  readonly login?: string;
  /** The id of a machine's token, and its name. */
  readonly machine?: string;
  readonly name?: string;
  readonly scopes: readonly AccessScope[];
  readonly listed?: readonly AccessScope[];
}

/** Errors: UNAUTHORIZED. */
export function decodeTextClaim(value: unknown): string {
  return typeof value === 'string' ? value : refuseClaims();
}

/** Errors: UNAUTHORIZED. */
export function decodeScopeClaim(value: unknown): readonly AccessScope[] {
  return Array.isArray(value) ? value.map(decodeScope) : refuseClaims();
}

function decodeScope(value: unknown): AccessScope {
  if (!isObject(value) || !Array.isArray(value.actions)) return refuseClaims();
  return { repositories: decodeTextClaim(value.repositories), actions: value.actions.filter(isAction) };
}

function isAction(value: unknown): value is Action {
  return ACTIONS.some((action) => action === value);
}

function refuseClaims(): never {
  throw new ImagesError('UNAUTHORIZED', 'the token has claims that this program does not know');
}
