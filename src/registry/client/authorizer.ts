// The Authorization header for one host, learnt from its 401s (Bearer before Basic).
import { describeHttpUrl, type HttpUrl, ledTo } from '../../io/http/http-url.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Access } from './answer-errors.ts';
import { heldTokens } from './held-tokens.ts';
import { mergeScopes, type TokenScope } from './scopes.ts';
import { basicAuthorization, fetchToken, refuseRealm, type SendTokenRequest, type TokenServer } from './tokens.ts';
import { type UsedCredentialsSettings, usedCredentials } from './used-credentials.ts';
import { type Challenge, parseWwwAuthenticate } from './www-authenticate.ts';

/** What a request needs to be allowed. */
export interface Need {
  /** Selects among the credentials in files, which may have entries for parts of a host. `docker.io` is Docker Hub's name there. */
  readonly repository: string | undefined;
  readonly scopes: readonly TokenScope[];
  /** How the host is asked, where nobody else can listen, or be in its place: it is on this machine, or its certificate is verified. */
  readonly confidential?: 'http' | 'https' | undefined;
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

export interface AuthorizerSettings extends UsedCredentialsSettings {
  readonly send: SendTokenRequest;
  /** Whether secrets of this host may be sent to a plain http URL. */
  readonly mayBePlain: (url: HttpUrl) => Promise<boolean>;
}

type Method = { readonly type: 'basic' } | ({ readonly type: 'bearer' } & TokenServer);

const BEARER = /^Bearer /;

export function createAuthorizer(settings: AuthorizerSettings): Authorizer {
  const { host } = settings;
  const used = usedCredentials(settings);
  const tokens = heldTokens();
  let method: Method | undefined;
  let lastUnasked: string | undefined;
  /** What was sent unasked, and answered with 401. It is not sent again; another one is, because a registry that was started again takes only new ones. */
  let refusedUnasked: string | undefined;

  async function basic({ repository }: Need): Promise<string | undefined> {
    const credentials = await used.find(repository);
    if (credentials?.type !== 'password') return undefined;
    used.use(repository, credentials);
    return basicAuthorization(credentials);
  }

  async function bearer(server: TokenServer, { repository, scopes }: Need): Promise<string> {
    const credentials = await used.find(repository);
    if (credentials) used.use(repository, credentials);
    if (credentials?.type === 'registry-token') return `Bearer ${credentials.token}`;
    if (!(await settings.mayBePlain(server.realm))) {
      throw refuseRealm(host, describeHttpUrl(server.realm), 'is not https');
    }
    const access = used.access(repository);
    return await tokens.authorization(scopes, (merged) =>
      fetchToken({ server, scopes: merged, credentials, access }, settings.send),
    );
  }

  async function unasked({ repository, confidential }: Need, refused?: string): Promise<string | undefined> {
    const credentials = confidential && (await used.unasked(repository, confidential, refused?.replace(BEARER, '')));
    if (!credentials || credentials.type === 'identity-token') return undefined;
    const value = credentials.type === 'password' ? basicAuthorization(credentials) : `Bearer ${credentials.token}`;
    if (value === refusedUnasked) return undefined;
    lastUnasked = value;
    used.use(repository, credentials);
    return value;
  }

  async function authorization(need: Need, refused?: string): Promise<string | undefined> {
    const own = await unasked(need, refused);
    if (own !== undefined || !method) return own;
    return method.type === 'basic' ? await basic(need) : await bearer(method, need);
  }

  async function anotherThan(refused: string | undefined, need: Need): Promise<string | undefined> {
    const next = await authorization(need, refused);
    return next === refused ? undefined : next;
  }

  /** Whether the refused value is a token that may have expired. It is not used any more then. */
  function endsToken(refused: string | undefined, isChallenged: boolean): boolean {
    if (refused === undefined) return false;
    const wasAccepted = tokens.wasAccepted(refused);
    const mayHaveEnded = refused.startsWith('Bearer ') && wasAccepted !== false;
    // With a challenge also one that was never accepted: the token may have been revoked before it expired.
    if (mayHaveEnded || isChallenged) tokens.drop(refused);
    return mayHaveEnded;
  }

  return {
    access: ({ repository }) => used.access(repository),
    authorization: (need) => authorization(need),
    accepted(value) {
      if (value !== undefined) tokens.accepted(value);
    },
    async renewed(need, { status, header, used: refused, url }) {
      if (status === 401 && refused !== undefined && refused === lastUnasked) refusedUnasked = refused;
      const challenges = status === 401 ? parseWwwAuthenticate(header ?? '') : [];
      const challenge = challenges.find(isBearer);
      const mayHaveEnded = endsToken(refused, challenge !== undefined);
      if (challenge) {
        const { realm = '', service, scope = '' } = challenge.parameters;
        method = { type: 'bearer', realm: readRealm(realm, url), service };
        // The challenge may ask for more than the scopes that were expected.
        return anotherThan(refused, {
          ...need,
          scopes: mergeScopes([...need.scopes, ...scope.split(' ').filter(Boolean)]),
        });
      }
      if (mayHaveEnded) return anotherThan(refused, need);
      if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
      method = { type: 'basic' };
      return anotherThan(refused, need);
    },
  };
}

function isBearer({ scheme, parameters }: Challenge): boolean {
  return scheme === 'bearer' && parameters.realm !== undefined;
}

function readRealm(realm: string, url: HttpUrl): HttpUrl {
  const server = ledTo(url, realm);
  if (server) return server;
  const message = `${url.host} names no token server that can be used: its realm is no address`;
  throw new ImagesError('BAD_ANSWER', message, {
    hint: 'The registry, or a proxy in front of it, is set up wrongly: its WWW-Authenticate has to name an http address.',
  });
}
