// Who has logged in: by a password, or by a token. Both the requests of the registry and those for tokens come here.

import { ImagesError } from '../oci/errors.ts';
import type { AccessScope, Asker } from './contract.ts';
import { TOKEN_USER } from './htpasswd.ts';
import type { PasswordCheck } from './password-check.ts';
import type { TokenHolder, TokenKind, Tokens } from './tokens.ts';

export interface Login {
  readonly holder: TokenHolder;
  readonly via: 'password' | 'token';
  /** Of a token. */
  readonly scopes?: readonly AccessScope[];
  readonly listed?: readonly AccessScope[];
  /** Of a token, in seconds since 1970. */
  readonly expires?: number;
}

export interface Logins {
  /** With the user `token`, the password is the token of a machine. Errors: UNAUTHORIZED, TOOMANYREQUESTS. */
  byPassword(user: string, password: string, address: string): Login | Promise<Login>;
  /** Errors: UNAUTHORIZED. */
  byToken(token: string, kinds: readonly TokenKind[]): Promise<Login>;
}

export const NOBODY: Login = { holder: { as: 'nobody' }, via: 'token' };

/** Without `passwords` no user can log in. */
export function createLogins(tokens: Tokens, passwords: PasswordCheck | undefined): Logins {
  const byToken = async (token: string, kinds: readonly TokenKind[]): Promise<Login> => ({
    via: 'token',
    ...(await tokens.verify(token, kinds)),
  });
  return {
    byToken,
    byPassword: (user, password, address) => {
      if (user === TOKEN_USER) return byToken(password, ['machine']);
      if (!passwords) throw new ImagesError('UNAUTHORIZED', 'no user can log in here; machines can, with their tokens');
      const login: Login = { holder: { as: 'user', user }, via: 'password' };
      const verified = passwords.verify({ user, password, address });
      return verified ? verified.then(() => login) : login;
    },
  };
}

export function askerOf({ holder, via, scopes, listed }: Login, address: string): Asker {
  const limits = { ...(scopes && { scopes }), ...(listed && { listed }) };
  if (holder.as === 'user') return { via, user: holder.user, address, ...limits };
  if (holder.as === 'nobody') return { via: 'nobody', address, ...limits };
  return { via: 'machine', token: holder.name, address, ...limits };
}
