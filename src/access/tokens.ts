// Tokens: JSON web tokens (RFC 7519, RFC 8725) that this store signs with its own key, and that no other service accepts. A token of one kind is never taken for
// another. Relies on jose.
import { hash } from 'node:crypto';
import { SignJWT } from 'jose/jwt/sign';
import { jwtVerify } from 'jose/jwt/verify';
import { ImagesError } from '../oci/errors.ts';
import type { AccessScope } from './contract.ts';
import { isSameSecret, keyedHash, keyFor } from './keyed-hash.ts';
import { decodeScopeClaim, decodeTextClaim, type TokenClaims } from './token-claims.ts';

/** `access` is for requests of the registry, `refresh` for new access tokens of a user, `machine` for both, instead of a password. */
export type TokenKind = 'access' | 'refresh' | 'machine';

/** For whom a token stands. */
export type TokenHolder =
  | { readonly as: 'nobody' }
  | { readonly as: 'user'; readonly user: string }
  | { readonly as: 'machine'; readonly id: string; readonly name: string };

export interface TokenContent {
  readonly holder: TokenHolder;
  readonly scopes: readonly AccessScope[];
  /** What the catalogue may show, beside what the scopes allow to pull. */
  readonly listed?: readonly AccessScope[];
  /** When the token ends, in seconds since 1970. One that is made of it ends not later. */
  readonly expires?: number;
}

export interface AccessToken {
  readonly token: string;
  /** In seconds. */
  readonly expiresIn: number;
}

/** The records of the tokens of machines that have not been revoked. */
export interface MachineTokens {
  isThere(id: string): boolean | Promise<boolean>;
  /** Whether there are any; without it, there are. */
  any?(): boolean;
}

/** A token of a machine, which is to be recorded by its id. */
export interface MachineToken {
  readonly id: string;
  /** For people: in the audit and in lists. */
  readonly name: string;
  /** Patterns for repositories. */
  readonly scopes: readonly AccessScope[];
  /** In ms since 1970. */
  readonly expires: number;
}

export interface TokenOptions {
  /** 32 bytes. Whoever has them can make tokens. */
  readonly key: Uint8Array;
  /** The id of this store. */
  readonly issuer: string;
  readonly service: string;
  /** The hash of a user's password, as the file has it now. Another one ends all tokens of the user. */
  readonly hashOf: (user: string) => string | undefined;
  readonly machines?: MachineTokens;
  /** In ms. */
  readonly now?: () => number;
}

export interface Tokens {
  access(content: TokenContent): Promise<AccessToken>;
  /** Errors: UNAUTHORIZED, if there is no such user. */
  refresh(user: string): Promise<string>;
  machine(token: MachineToken): Promise<string>;
  /** What a token of one of these kinds holds. Errors: UNAUTHORIZED. */
  verify(token: string, kinds: readonly TokenKind[]): Promise<TokenContent>;
  /** Whether what `verify` gave is known at once to hold still. */
  stillHolds(content: TokenContent): boolean;
}

/** In seconds. */
const ACCESS_LIFETIME = 300;
const REFRESH_LIFETIME = 30 * 24 * 3600;
const KEY_BYTES = 32;
const MAX_TOKEN = 8 * 1024;
const MAX_KNOWN = 1000;
const TYPE = /^images-(access|refresh|machine)\+jwt$/;

/** Makes and verifies the tokens of one store. A key that has not 32 bytes is a RangeError. */
export function createTokens({ key, issuer, service, hashOf, machines, now = Date.now }: TokenOptions): Tokens {
  if (key.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes [${key.length}]`);
  const signingKey = importKey(keyFor('sign tokens', key));
  const { loginOf, requireValid, isStillValid } = validHolders(keyFor('hash of a password', key), {
    hashOf,
    ...(machines && { machines }),
  });
  /** Signatures that were verified lately, by a hash of the whole token. */
  const known = new Map<string, KnownToken>();
  const given = new WeakMap<TokenContent, KnownToken>();
  const seconds = () => Math.floor(now() / 1000);

  const sign = async (kind: TokenKind, exp: number, claims: TokenClaims): Promise<string> => {
    const token = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'HS256', typ: `images-${kind}+jwt` })
      .setIssuer(issuer)
      .setAudience(service)
      .setIssuedAt(seconds())
      .setExpirationTime(exp)
      .sign(await signingKey);
    if (token.length <= MAX_TOKEN) return token;
    throw new ImagesError('USAGE', `a token for so much is too long [${token.length} bytes, at most ${MAX_TOKEN}]`, {
      hint: 'Ask for fewer repositories.',
    });
  };

  const read = async (token: string): Promise<KnownToken> => {
    if (token.length > MAX_TOKEN || !isCanonical(token)) refuseToken();
    const digest = hash('sha256', token);
    const before = known.get(digest);
    if (before) return before;
    const { payload, protectedHeader } = await jwtVerify(token, await signingKey, {
      algorithms: ['HS256'],
      issuer,
      audience: service,
      requiredClaims: ['iat', 'exp'],
      currentDate: new Date(now()),
    }).catch(() => refuseToken());
    const [, kind] = TYPE.exec(protectedHeader.typ ?? '') ?? refuseToken();
    const read: KnownToken = {
      kind: kind as TokenKind,
      content: { ...decodeContent(payload), expires: payload.exp ?? 0 },
      claims: payload,
    };
    known.set(digest, read);
    for (const oldest of known.keys()) {
      if (known.size <= MAX_KNOWN) break;
      known.delete(oldest);
    }
    return read;
  };

  return {
    access: async ({ holder, scopes, listed, expires = Number.POSITIVE_INFINITY }) => {
      const start = seconds();
      const end = Math.min(start + ACCESS_LIFETIME, expires);
      const token = await sign('access', end, {
        scopes,
        ...(listed && { listed }),
        ...(holder.as === 'user' && { sub: holder.user, login: loginOf(holder.user) }),
        ...(holder.as === 'machine' && { machine: holder.id, name: holder.name }),
      });
      return { token, expiresIn: end - start };
    },
    refresh: async (user) =>
      await sign('refresh', seconds() + REFRESH_LIFETIME, { sub: user, login: loginOf(user), scopes: [] }),
    machine: ({ id, name, scopes, expires }) =>
      sign('machine', Math.floor(expires / 1000), { machine: id, name, scopes }),
    stillHolds: (content) => {
      const found = given.get(content);
      return found !== undefined && found.content.expires > seconds() && isStillValid(found);
    },
    verify: async (token, kinds) => {
      const found = await read(token);
      const { kind, content } = found;
      if (!kinds.includes(kind) || content.expires <= seconds()) refuseToken();
      if (kind !== 'access' && content.holder.as !== (kind === 'refresh' ? 'user' : 'machine')) refuseToken();
      await requireValid(found);
      given.set(found.content, found);
      return found.content;
    },
  };
}

/** Whether whom a token names is still there, and has the same password. */
function validHolders(loginKey: Uint8Array, { hashOf, machines }: Pick<TokenOptions, 'hashOf' | 'machines'>) {
  /** Changes with the user's password. */
  const loginOf = (user: string): string => {
    const hashed = hashOf(user);
    return hashed === undefined ? refuseToken() : keyedHash(loginKey, [user, hashed]);
  };
  return {
    loginOf,
    requireValid: async (token: KnownToken): Promise<void> => {
      const { holder } = token.content;
      if (holder.as === 'user') {
        if (!isSameSecret(decodeTextClaim(token.claims.login), loginOf(holder.user))) refuseToken();
        token.validFor = hashOf(holder.user);
      }
      if (holder.as === 'machine' && !(await machines?.isThere(holder.id))) refuseToken();
    },
    /** At once, for a token that was found to be valid before. */
    isStillValid: ({ validFor, content: { holder } }: KnownToken): boolean => {
      if (holder.as === 'user') return validFor !== undefined && validFor === hashOf(holder.user);
      return holder.as === 'nobody' || machines?.isThere(holder.id) === true;
    },
  };
}

interface KnownToken {
  readonly kind: TokenKind;
  readonly content: TokenContent & { readonly expires: number };
  readonly claims: Readonly<Record<string, unknown>>;
  /** The hash of its user's password with which it was found to be valid. */
  validFor?: string | undefined;
}

function decodeContent(claims: Readonly<Record<string, unknown>>): TokenContent {
  const { sub, machine, name, scopes, listed } = claims;
  const content = {
    scopes: decodeScopeClaim(scopes),
    ...(listed !== undefined && { listed: decodeScopeClaim(listed) }),
  };
  if (sub !== undefined) return { holder: { as: 'user', user: decodeTextClaim(sub) }, ...content };
  if (machine === undefined) return { holder: { as: 'nobody' }, ...content };
  return { holder: { as: 'machine', id: decodeTextClaim(machine), name: decodeTextClaim(name) }, ...content };
}

/** Three parts in base64url, the signature without spare bits: else there would be several texts of one token. */
function isCanonical(token: string): boolean {
  const [, signature] = /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(token) ?? [];
  return signature !== undefined && Buffer.from(signature, 'base64url').toString('base64url') === signature;
}

function importKey(key: Uint8Array<ArrayBuffer>) {
  return crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
}

/** One answer, whatever is wrong. */
function refuseToken(): never {
  throw new ImagesError('UNAUTHORIZED', 'the token is not valid, or not any more', {
    hint: 'Log in again: images login HOST.',
  });
}
