// The end-point that gives tokens: `GET /images/token` with Basic credentials, and `POST` with a form ("Token Authentication Specification" and "OAuth2 Token
// Authentication" of distribution; RFC 6749, section 5).
import type { Bytes } from '../io/streams/bytes.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import type { AccessReply, RequestHead } from './contract.ts';
import { BASIC_CHALLENGE, TOKEN_PATH } from './login-challenge.ts';
import { askerOf, type Login, type Logins, NOBODY } from './logins.ts';
import type { MayDo } from './permitted.ts';
import { parseAuthorization } from './sent-credentials.ts';
import { grantScopes, parseTokenScopes } from './token-scopes.ts';
import type { Tokens } from './tokens.ts';

export interface TokenEndpointOptions {
  readonly logins: Logins;
  readonly tokens: Tokens;
  readonly service: string;
  readonly mayDo: MayDo;
  readonly isUser: (name: string) => boolean;
  /** In ms. */
  readonly now: () => number;
}

export type TokenEndpoint = (head: RequestHead, body: Bytes) => Promise<AccessReply>;

/** In origin form, or in absolute form, which clients of proxies send (RFC 9112, section 3.2.2). */
export function isForTokens({ url }: RequestHead): boolean {
  const target = url.replace(/^https?:\/\/[^/?#]*/i, '');
  return target === TOKEN_PATH || target.startsWith(`${TOKEN_PATH}?`);
}

export function tokenEndpoint(options: TokenEndpointOptions): TokenEndpoint {
  return async (head, body) => {
    const asked: { user?: string } = {};
    try {
      const { login, wanted } = await readRequest(head, body, { ...options, asked });
      return jsonReply(200, await grant(login, { head, wanted, options }));
    } catch (error) {
      const { user } = asked;
      return { ...refusal(error), ...(user !== undefined && options.isUser(user) && { tried: user }) };
    }
  };
}

const MAX_BODY = 64 * 1024;
const FORM = /^application\/x-www-form-urlencoded *(?:;|$)/i;

/** `asked` is told whose password is tried. */
interface Reading extends TokenEndpointOptions {
  readonly asked: { user?: string };
}

interface WantedToken {
  readonly login: Login;
  readonly wanted: URLSearchParams;
}

async function readRequest(head: RequestHead, body: Bytes, options: Reading): Promise<WantedToken> {
  if (head.method === 'POST') {
    const wanted = await readForm(head, body);
    checkFields(wanted, options);
    return { wanted, login: await loginOfForm(wanted, head, options) };
  }
  if (head.method !== 'GET') throw new BadTokenRequest('invalid_request', 'a token is asked for by GET or POST', 405);
  const query = head.url.indexOf('?');
  const wanted = new URLSearchParams(query < 0 ? '' : head.url.slice(query));
  checkFields(wanted, options);
  const sent = parseAuthorization(head.headers.authorization);
  // A token that has to be renewed by a password must not be renewed by itself.
  if (sent.type === 'bearer') throw new ImagesError('UNAUTHORIZED', 'a token is given for a user and a password');
  if (sent.type === 'none') return { login: NOBODY, wanted };
  options.asked.user = sent.user;
  return { login: await options.logins.byPassword(sent.user, sent.password, head.address), wanted };
}

async function loginOfForm(
  form: URLSearchParams,
  { address }: RequestHead,
  { logins, asked }: Reading,
): Promise<Login> {
  switch (form.get('grant_type')) {
    case 'password':
      asked.user = field(form, 'username');
      return await logins.byPassword(asked.user, field(form, 'password'), address);
    case 'refresh_token':
      return await logins.byToken(field(form, 'refresh_token'), ['refresh']);
    case null:
      throw new BadTokenRequest('invalid_request', 'the form has no grant_type');
    default:
      throw new BadTokenRequest('unsupported_grant_type', 'grant_type is password or refresh_token');
  }
}

interface Grant {
  readonly head: RequestHead;
  readonly wanted: URLSearchParams;
  readonly options: TokenEndpointOptions;
}

async function grant(login: Login, { head, wanted, options }: Grant): Promise<object> {
  const { tokens, mayDo, now } = options;
  const { holder } = login;
  // A refresh token has no scopes of its own: it stands for its user.
  const asker = askerOf(holder.as === 'user' ? { holder, via: login.via } : login, head.address);
  const pullable = (login.scopes ?? []).filter(({ actions }) => actions.includes('pull'));
  const granted = grantScopes(parseTokenScopes(wanted.getAll('scope')), {
    may: (action, repository) => mayDo(asker, action, repository),
    listed:
      holder.as === 'machine'
        ? pullable.map(({ repositories }) => ({ repositories, actions: ['pull'] }))
        : [{ repositories: '**', actions: ['pull'] }],
  });
  const { scopes, listed } = granted;
  const { token, expiresIn } = await tokens.access({
    holder,
    scopes,
    ...(listed && { listed }),
    ...(login.expires !== undefined && { expires: login.expires }),
  });
  // Never for a refresh token: one that was stolen must end some day.
  const isOffline = wanted.get('offline_token') === 'true' || wanted.get('access_type') === 'offline';
  const refresh = isOffline && login.via === 'password' && holder.as === 'user' ? holder.user : undefined;
  return {
    token,
    access_token: token,
    token_type: 'Bearer',
    expires_in: expiresIn,
    issued_at: new Date(now()).toISOString(),
    scope: granted.text,
    ...(refresh !== undefined && { refresh_token: await tokens.refresh(refresh) }),
  };
}

async function readForm({ headers }: RequestHead, body: Bytes): Promise<URLSearchParams> {
  if (!FORM.test(headers['content-type'] ?? '')) {
    throw new BadTokenRequest('invalid_request', 'the body is not application/x-www-form-urlencoded');
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BODY) throw new BadTokenRequest('invalid_request', `the form has more than ${MAX_BODY} bytes`, 413);
    chunks.push(chunk.slice());
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

/** What means something may be there once only (RFC 6749, section 3.2). */
const FIELDS = ['grant_type', 'username', 'password', 'refresh_token', 'service', 'access_type', 'offline_token'];

function checkFields(wanted: URLSearchParams, { service }: TokenEndpointOptions): void {
  const doubled = FIELDS.find((name) => wanted.getAll(name).length > 1);
  if (doubled !== undefined) throw new BadTokenRequest('invalid_request', `${doubled} is there twice`);
  const asked = wanted.get('service') ?? '';
  if (asked !== '' && asked !== service) throw new BadTokenRequest('invalid_request', 'this is another service');
}

function field(form: URLSearchParams, name: string): string {
  const value = form.get(name) ?? '';
  if (value === '') throw new BadTokenRequest('invalid_request', `the form has no ${name}`);
  return value;
}

class BadTokenRequest extends Error {
  /** Of RFC 6749, section 5.2. */
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** For clients of both specifications: `errors` is distribution's, `error` that of OAuth 2. */
function refusal(error: unknown): AccessReply {
  const reply = (status: number, code: string, message: string, more: Readonly<Record<string, string>> = {}) => {
    const oauth = error instanceof BadTokenRequest ? error.code : status === 400 ? 'invalid_scope' : 'invalid_grant';
    const body = { errors: [{ code, message }], error: oauth, error_description: message };
    return jsonReply(status, body, more);
  };
  if (error instanceof BadTokenRequest) {
    const allow = error.status === 405 ? { Allow: 'GET, POST' } : undefined;
    return reply(error.status, 'UNSUPPORTED', error.message, allow);
  }
  if (isImagesError(error, 'UNAUTHORIZED')) {
    return reply(401, error.code, error.message, { 'WWW-Authenticate': BASIC_CHALLENGE });
  }
  if (isImagesError(error, 'TOOMANYREQUESTS')) return reply(429, error.code, error.message, { 'Retry-After': '1' });
  if (isImagesError(error, 'USAGE')) return reply(400, 'UNSUPPORTED', error.message);
  throw error;
}

function jsonReply(status: number, value: object, headers: Readonly<Record<string, string>> = {}): AccessReply {
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Pragma: 'no-cache', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}
