// Fetches bearer tokens from a token server (distribution's specifications "token" and "oauth"): GET with a password or anonymously, POST with a refresh token.
import type { HttpAnswer, HttpRequest } from '../../io/http/http.ts';
import { describeHttpUrl, type HttpUrl, withQuery } from '../../io/http/http-url.ts';
import { rememberSecrets } from '../../io/text/secrets.ts';
import { isObject } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';
import { type Access, answerError, badAnswer, readText } from './answer-errors.ts';
import type { TokenScope } from './scopes.ts';
import type { Credentials } from './settings.ts';
import { DONE, FOUND } from './statuses.ts';

export interface TokenServer {
  readonly realm: HttpUrl;
  readonly service: string | undefined;
}

export interface Token {
  readonly value: string;
  /** Milliseconds since 1970, after which the token must not be used. */
  readonly expires: number;
}

export interface TokenRequest {
  readonly server: TokenServer;
  readonly scopes: readonly TokenScope[];
  readonly credentials: Exclude<Credentials, { type: 'registry-token' }> | undefined;
  readonly access: Access;
}

type PasswordCredentials = Extract<Credentials, { type: 'password' }>;

export type SendTokenRequest = (
  request: Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'>,
) => Promise<HttpAnswer>;

/** Errors: UNAUTHORIZED (credentials refused), BAD_ANSWER, and those of the connection. */
export async function fetchToken(request: TokenRequest, send: SendTokenRequest): Promise<Token> {
  const asked = Date.now();
  const answer =
    request.credentials?.type === 'identity-token'
      ? await send(refreshRequest(request, request.credentials.token))
      : await send(passwordRequest(request));
  const where = { what: `a token of ${describeHttpUrl(request.server.realm)}`, unknown: 'UNAUTHORIZED' } as const;
  if (!GIVEN.includes(answer.status)) throw await answerError(answer, where, request.access);
  const text = await readText(answer, MAX_TOKEN_ANSWER);
  const token = readToken(text, asked);
  // JSON may hold a token in a field of another name, so it is not quoted.
  if (!token) throw badAnswer(answer, where, /^\s*[[{"]|token/i.test(text) ? 'no usable token' : text);
  rememberSecrets(token.value);
  return token;
}

/** OAuth 2 demands 200; some servers treat a token as something created. What matters is the token. */
const GIVEN: readonly number[] = [...FOUND, ...DONE];
const MAX_TOKEN_ANSWER = 1024 * 1024;
const DEFAULT_SECONDS = 60;

function passwordRequest({
  server,
  scopes,
  credentials,
}: TokenRequest): Pick<HttpRequest, 'method' | 'url' | 'headers'> {
  const account = credentials?.type === 'password' ? credentials.username : undefined;
  const named = withQuery(server.realm, { account, service: server.service });
  const url = scopes.reduce((so, scope) => withQuery(so, { scope }), named);
  const headers = credentials?.type === 'password' ? { authorization: basicAuthorization(credentials) } : {};
  return { method: 'GET', url, headers };
}

function refreshRequest(
  { server, scopes }: TokenRequest,
  token: string,
): Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'> {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, client_id: 'images' });
  if (server.service !== undefined) form.set('service', server.service);
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  return {
    method: 'POST',
    url: server.realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  };
}

export function basicAuthorization({ username, password }: Pick<PasswordCredentials, 'username' | 'password'>): string {
  const pair = Buffer.from(`${username}:${password}`).toString('base64');
  rememberSecrets(pair);
  return `Basic ${pair}`;
}

/** Reads the token; `undefined` if it could break out of its header. Its time is shortened a little, so that it is still valid when it arrives. */
function readToken(text: string, asked: number): Token | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(body)) return undefined;
  const value = [body.token, body.access_token].find(
    (entry) => typeof entry === 'string' && /^[\x21-\x7e]+$/.test(entry),
  );
  if (typeof value !== 'string') return undefined;
  const seconds = typeof body.expires_in === 'number' && body.expires_in > 0 ? body.expires_in : DEFAULT_SECONDS;
  return { value, expires: asked + seconds * 1000 - Math.min(10_000, seconds * 500) };
}

/** An error that occurs before a token can be requested. */
export function refuseRealm(host: string, realm: string, why: string): ImagesError {
  return new ImagesError('UNAUTHORIZED', `${host} names a token server that ${why} [${realm}]`, {
    hint: 'Credentials and tokens travel over https only, unless the host is marked insecure.',
  });
}
