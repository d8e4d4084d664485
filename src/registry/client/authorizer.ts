// The Authorization header for one host, learnt from its 401s (Bearer before Basic). A token is fetched once for each set of scopes, and shared by all who wait.
import { describeHttpUrl, type HttpUrl, ledTo } from '../../io/http/http-url.ts';
import { quote } from '../../io/text/quote.ts';
import { rememberSecrets } from '../../io/text/secrets.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Access } from './answer-errors.ts';
import { coversScopes, mergeScopes, type TokenScope } from './scopes.ts';
import type { ClientDecision, Credentials, CredentialsProvider } from './settings.ts';
import {
  basicAuthorization,
  fetchToken,
  refuseRealm,
  type SendTokenRequest,
  type Token,
  type TokenServer,
} from './tokens.ts';
import { parseWwwAuthenticate } from './www-authenticate.ts';

/** What a request needs to be allowed. */
export interface Need {
  /** Selects among the credentials in files, which may have entries for parts of a host. `docker.io` is Docker Hub's name there. */
  readonly repository: string | undefined;
  readonly scopes: readonly TokenScope[];
}

export interface Authorizer {
  /** The header's value, if it is known without asking the host; `undefined` if none has been needed so far. */
  authorization(need: Need): Promise<string | undefined>;
  /** Notes that the host accepted this value. If it refuses the value later, the token has expired. */
  accepted(used: string | undefined): void;
  /**
   * After a refused request, which was sent with `used`: another value to try, or `undefined` if there is none.
   * If the refusal has no challenge, a token counts as expired only if it was accepted before.
   * Errors: UNAUTHORIZED, BAD_ANSWER, CONFIG_INVALID.
   */
  renewed(need: Need, refusal: Refusal): Promise<string | undefined>;
  /** For error messages: which credentials were used for such a request, or that there were none. */
  access(need: Need): Access;
}

export interface Refusal {
  readonly status: number;
  /** WWW-Authenticate; absent unless the status is 401. */
  readonly header: string | undefined;
  readonly used: string | undefined;
  /** The URL that was refused. */
  readonly url: HttpUrl;
}

export interface AuthorizerSettings {
  /** The host as people write it. */
  readonly host: string;
  readonly credentials: CredentialsProvider | undefined;
  /** Told of the credentials that are used, once a repository. */
  readonly onDecision: ((event: ClientDecision) => void) | undefined;
  readonly send: SendTokenRequest;
  /** Whether secrets of this host may be sent to a plain http URL. */
  readonly mayBePlain: (url: HttpUrl) => Promise<boolean>;
}

type Method = { readonly type: 'basic' } | ({ readonly type: 'bearer' } & TokenServer);

interface HeldToken {
  readonly scopes: readonly TokenScope[];
  readonly token: Promise<Token>;
  /** The header's value; absent until the token is there. */
  value?: string;
  expires: number;
  wasAccepted: boolean;
}

export function createAuthorizer(settings: AuthorizerSettings): Authorizer {
  const { host } = settings;
  let method: Method | undefined;
  const held = new Map<string, HeldToken>();
  const used = new Map<string | undefined, Credentials>();
  const told = new Set<string | undefined>();
  const searched = settings.credentials?.searched ?? [];
  const find = async (repository: string | undefined): Promise<Credentials | undefined> => {
    const credentials = await settings.credentials?.find(host, repository);
    if (credentials) rememberSecrets(credentials.type === 'password' ? credentials.password : credentials.token);
    if (settings.onDecision && !told.has(repository)) {
      told.add(repository);
      const known = describeAccess(host, credentials, searched).used;
      settings.onDecision({
        type: 'credentials',
        host,
        searched,
        ...(repository !== undefined && { repository }),
        ...(known !== undefined && { used: known }),
      });
    }
    return credentials;
  };
  const access = ({ repository }: Need): Access => describeAccess(host, used.get(repository), searched);

  const basic = async (need: Need): Promise<string | undefined> => {
    const credentials = await find(need.repository);
    if (credentials?.type !== 'password') return undefined;
    used.set(need.repository, credentials);
    return basicAuthorization(credentials);
  };

  const bearer = async (server: TokenServer, need: Need): Promise<string> => {
    const credentials = await find(need.repository);
    if (credentials) used.set(need.repository, credentials);
    if (credentials?.type === 'registry-token') return `Bearer ${credentials.token}`;
    if (!(await settings.mayBePlain(server.realm))) {
      throw refuseRealm(host, describeHttpUrl(server.realm), 'is not https');
    }
    // No `await` from here to `held.set`, or another caller could fetch a second token in between.
    const scopes = mergeScopes(need.scopes);
    const usable = [...held.values()].find((each) => each.expires > Date.now() && coversScopes(each.scopes, scopes));
    if (usable) return `Bearer ${(await usable.token).value}`;
    const key = scopes.join(' ');
    const token = fetchToken({ server, scopes, credentials, access: access(need) }, settings.send);
    const entry: HeldToken = { scopes, token, expires: Number.POSITIVE_INFINITY, wasAccepted: false };
    held.set(key, entry);
    try {
      const { value, expires } = await token;
      entry.expires = expires;
      entry.value = `Bearer ${value}`;
      return entry.value;
    } catch (error) {
      if (held.get(key) === entry) held.delete(key);
      throw error;
    }
  };

  const apply = (need: Need): Promise<string | undefined> | undefined => {
    if (!method) return undefined;
    return method.type === 'basic' ? basic(need) : bearer(method, need);
  };

  const other = async (used: string | undefined, need: Need): Promise<string | undefined> => {
    const next = await apply(need);
    return next === used ? undefined : next;
  };

  const heldAs = (used: string) => [...held].find(([, entry]) => entry.value === used);

  return {
    access,
    authorization: async (need) => apply(need),
    accepted(used) {
      const entry = used === undefined ? undefined : heldAs(used)?.[1];
      if (entry) entry.wasAccepted = true;
    },
    async renewed(need, { status, header, used, url }) {
      const challenges = status === 401 ? parseWwwAuthenticate(header ?? '') : [];
      const bearerChallenge = challenges.find(
        ({ scheme, parameters }) => scheme === 'bearer' && parameters.realm !== undefined,
      );
      const known = used === undefined ? undefined : heldAs(used);
      const mayHaveEnded = used?.startsWith('Bearer ') && (!known || known[1].wasAccepted);
      // The token may have been revoked before it expired.
      if (known && (bearerChallenge || mayHaveEnded)) held.delete(known[0]);
      if (bearerChallenge) {
        const { realm = '', service, scope = '' } = bearerChallenge.parameters;
        method = { type: 'bearer', realm: readRealm(realm, url), service };
        // The challenge may ask for more than the scopes that were expected.
        return other(used, { ...need, scopes: mergeScopes([...need.scopes, ...scope.split(' ').filter(Boolean)]) });
      }
      if (mayHaveEnded) return other(used, need);
      if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
      method = { type: 'basic' };
      return other(used, need);
    },
  };
}

function readRealm(realm: string, url: HttpUrl): HttpUrl {
  const server = ledTo(url, realm);
  if (server) return server;
  const message = `${url.host} names no token server that can be used: its realm is no address`;
  throw new ImagesError('BAD_ANSWER', message, {
    hint: 'The registry, or a proxy in front of it, is set up wrongly: its WWW-Authenticate has to name an http address.',
  });
}

/** In characters. User names are shown in messages; a longer one may be a token. */
const LONGEST_NAME = 32;

function describeAccess(host: string, credentials: Credentials | undefined, searched: readonly string[]): Access {
  const login = `docker login ${host === 'docker.io' ? '' : host}`.trim();
  const known = 'check the name: a private or unknown repository looks the same';
  if (!credentials) {
    const read = searched.length > 0 ? ` (no credentials are in ${searched.join(', ')})` : '';
    return { hint: `Run \`${login}\`, and ${known}${read}.`, used: undefined };
  }
  const { origin = 'the settings' } = credentials;
  const name =
    credentials.type === 'password' && credentials.username.length <= LONGEST_NAME ? credentials.username : '';
  const what = credentials.type === 'password' ? (name ? `those of [${quote(name)}]` : 'a password') : 'a token';
  return { hint: `Run \`${login}\` again, or ${known}.`, used: `${what} from ${origin}` };
}
