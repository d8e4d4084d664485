// Credentials that are sent before the host asks: to whom, and to nobody else.
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { HttpRequest } from '../../io/http/http.ts';
import { parseHttpUrl } from '../../io/http/http-url.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import { authorizedRequests } from './authorized-requests.ts';
import { createAuthorizer } from './authorizer.ts';
import { createEndpointHttp } from './endpoint-http.ts';
import { type RegistryClients, registryClients } from './registry-clients.ts';
import type { ClientDecision, Credentials, Endpoint } from './settings.ts';
import { index } from './testing/faulty-registry.ts';
import { type FaultyServer, sendJson, startFaultyServer, status } from './testing/faulty-server.ts';

const OWN: Credentials = { type: 'registry-token', token: 'known-here', origin: '/data/local' };
const holding = { contents: [], manifest: { bytes: index, mediaType: OCI_INDEX } };

let host: FaultyServer;
let other: FaultyServer;
let clients: RegistryClients;
let decisions: ClientDecision[];

beforeEach(async () => {
  host = await startFaultyServer(holding);
  other = await startFaultyServer(holding);
  decisions = [];
  clients = registryClients({
    temporaryDirectory: tmpdir(),
    backoff: { attempts: 1, base: 1, longest: 10 },
    onDecision: (decision) => decisions.push(decision),
    credentials: {
      searched: ['/home/me/config.json'],
      searchedFor: (name) => [`/more/for/${name}`],
      find: async () => undefined,
      unasked: async (name) => (name === host.host ? OWN : undefined),
    },
  });
});
afterEach(async () => {
  await clients[Symbol.asyncDispose]();
  for (const server of [host, other]) await server[Symbol.asyncDispose]();
});

const sentTo = ({ requests }: FaultyServer) => requests.map(({ headers }) => headers.authorization);
const failureOf = (work: Promise<unknown>) => work.then(String, (error) => error);

describe('what is sent unasked', () => {
  it('goes with every request, and is told without the secret', async () => {
    const registry = clients.forHost(host.host);
    await registry.getManifest('app', 'latest');
    await registry.statManifest('app', 'latest');
    expect(new Set(sentTo(host))).toEqual(new Set(['Bearer known-here']));
    expect(decisions).toContainEqual(
      expect.objectContaining({ type: 'credentials', host: host.host, used: 'a token from /data/local' }),
    );
    expect(JSON.stringify(decisions)).not.toContain('known-here');
  });

  it('does not go to another host, nor along a redirect', async () => {
    await clients.forHost(other.host).getManifest('app', 'latest');
    host.inject(status(307, { location: `http://${other.host}/v2/app/manifests/latest` }));
    await clients.forHost(host.host).getManifest('app', 'latest');
    expect(new Set(sentTo(other))).toEqual(new Set([undefined]));
    expect(other.requests.length).toBeGreaterThan(1);
  });

  it('goes over plain HTTP to loopback alone, and over HTTPS only where the certificate is verified', async () => {
    const sent = async (endpoint: Endpoint) => {
      const requests: HttpRequest[] = [];
      const http = createEndpointHttp(endpoint, {
        pool: {
          retire: () => {},
          send: async (request) => {
            requests.push(request);
            throw new Error('enough');
          },
          [Symbol.dispose]: () => {},
        },
        limiter: createLimiter(1),
        backoff: { attempts: 1, base: 1, longest: 1 },
        credentials: { searched: [], find: async () => undefined, unasked: async () => OWN },
        isPrivate: () => true,
        isInsecure: async () => true,
        userAgent: 'test',
        onRetry: undefined,
        onDecision: undefined,
      });
      const asked = { what: 'it', unknown: 'UNSUPPORTED' } as const;
      await failureOf(
        http.send({ method: 'GET', to: '/', scopes: [], asked, expected: [200], signal: undefined, once: true }),
      );
      return requests[0]?.headers?.authorization;
    };
    expect(await sent({ host: '127.0.0.1:5000', scheme: 'http' })).toBe('Bearer known-here');
    expect(await sent({ host: '[::1]:5000' })).toBe('Bearer known-here');
    expect(await sent({ host: '10.0.0.5:5000', scheme: 'https' })).toBe('Bearer known-here');
    expect(await sent({ host: '10.0.0.5:5000', scheme: 'http' })).toBeUndefined();
    expect(await sent({ host: '10.0.0.5:5000' })).toBeUndefined();
    expect(await sent({ host: '10.0.0.5:5000', scheme: 'https', insecure: true })).toBeUndefined();
  });

  it('is asked for by the scheme of each request, as that of a host without a port is another port', async () => {
    const schemes: string[] = [];
    const unasked = async (_host: string, _repository: string | undefined, scheme: string) => {
      schemes.push(scheme);
      return undefined;
    };
    const authorizer = createAuthorizer({
      host: '127.0.0.1',
      credentials: { searched: [], find: async () => undefined, unasked },
      onDecision: undefined,
      send: () => Promise.reject(new Error('no token server')),
      mayBePlain: async () => true,
    });
    const requests = authorizedRequests(authorizer, {
      isOwn: () => true,
      isConfidential: ({ host: name }) => name === '127.0.0.1',
      follow: (_request, url) => Promise.reject(new Error(url.host)),
    });
    const asked = { what: 'it', unknown: 'UNSUPPORTED' } as const;
    const request = { method: 'GET', to: '/', scopes: [], asked, expected: [200], signal: undefined } as const;
    for (const url of ['http://127.0.0.1/', 'https://127.0.0.1/', 'http://10.0.0.5/'])
      await failureOf(requests.send(request, parseHttpUrl(url)));
    expect(schemes).toEqual(['http', 'https']);
  });

  it('is named where it may not do what is asked, and not sent a second time', async () => {
    host.inject(status(403));
    const error = await failureOf(clients.forHost(host.host).getManifest('app', 'latest'));
    expect(error).toMatchObject({ code: 'DENIED', message: expect.stringContaining('a token from /data/local') });
    expect(host.requests).toHaveLength(1);
  });

  it('is left where it is not accepted: then nobody is logged in, and the error says what to do', async () => {
    const challenge = { 'www-authenticate': `Bearer realm="http://${other.host}/token",service="x"` };
    host.inject(status(401, challenge));
    other.inject((_request, response) => sendJson(response, 200, { token: 'of-nobody' }));
    const error = await failureOf(clients.forHost(host.host).getManifest('app', 'latest'));
    expect(error).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(sentTo(host)).toEqual(
      ['Bearer known-here', 'Bearer of-nobody', 'Bearer of-nobody'].slice(0, host.requests.length),
    );
    expect(sentTo(other)).not.toContain('Bearer known-here');
    expect(error.hint).toContain(`Run \`images login ${host.host}\``);
  });
});

describe('what was sent unasked and refused', () => {
  const challenge = { 'www-authenticate': 'Basic realm="x"' };
  let current: string;
  const refuseOld = (refusal: number) =>
    host.inject(
      (request, response) =>
        request.headers.authorization === 'Bearer old' &&
        status(refusal, refusal === 401 ? challenge : {})(request, response),
    );
  const withProof = (renew: (refused: string | undefined) => void) =>
    registryClients({
      temporaryDirectory: tmpdir(),
      backoff: { attempts: 1, base: 1, longest: 10 },
      credentials: {
        searched: [],
        find: async () => undefined,
        unasked: async (_host, _repository, _scheme, refused) => {
          renew(refused);
          return { type: 'registry-token', token: current };
        },
      },
    });

  it.each([401, 403])(
    'is sent anew where there is another one, as for a registry that was started again (%i)',
    async (refusal) => {
      current = 'old';
      await using user = withProof((refused) => {
        if (refused === 'old') current = 'new';
      });
      const registry = user.forHost(host.host);
      await registry.getManifest('app', 'latest');
      refuseOld(refusal);
      await registry.statManifest('app', 'latest');
      await registry.statManifest('app', 'latest');
      expect(sentTo(host)).toEqual(['old', 'new', 'new'].map((token) => `Bearer ${token}`));
    },
  );

  it('is not sent again, but the next one is', async () => {
    current = 'old';
    await using user = withProof(() => undefined);
    const registry = user.forHost(host.host);
    refuseOld(401);
    await registry.statManifest('app', 'latest');
    await registry.statManifest('app', 'latest');
    current = 'new';
    await registry.statManifest('app', 'latest');
    expect(sentTo(host)).toEqual(['Bearer old', undefined, undefined, 'Bearer new']);
  });
});

describe('the catalogue', () => {
  const withLogin = (find: () => Promise<Credentials | undefined>) =>
    registryClients({
      temporaryDirectory: tmpdir(),
      backoff: { attempts: 1, base: 1, longest: 10 },
      credentials: { searched: [], find },
    });
  const repositories = async (registry: RegistryClients) =>
    await Array.fromAsync(registry.forHost(host.host).repositories());

  /** Shows less to nobody, as docker-registry's and others' rules do; `/v2/` asks to log in. */
  const showsMoreToUsers = () =>
    host.inject((request, response) => {
      const isUser = request.headers.authorization?.startsWith('Basic ') ?? false;
      if (request.url === '/v2/' && !isUser)
        return status(401, { 'www-authenticate': 'Basic realm="x"' })(request, response);
      return sendJson(response, 200, { repositories: isUser ? ['a', 'b'] : ['a'] });
    });

  it('is asked for with the credentials that the user has, although it does not ask for them', async () => {
    showsMoreToUsers();
    await using user = withLogin(async () => ({ type: 'password', username: 'me', password: 'secret' }));
    expect(await repositories(user)).toEqual(['a', 'b']);
    await using nobody = withLogin(async () => undefined);
    showsMoreToUsers();
    expect(await repositories(nobody)).toEqual(['a']);
    expect(host.requests).toHaveLength(1);
  });

  it('is not listed with wrong credentials; a registry without `/v2/` is asked all the same', async () => {
    await using user = withLogin(async () => ({ type: 'password', username: 'me', password: 'secret' }));
    host.inject(status(401, { 'www-authenticate': 'Basic realm="x"' }));
    await expect(repositories(user)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    host.inject((request, response) =>
      request.url === '/v2/' ? status(404)(request, response) : sendJson(response, 200, { repositories: ['a'] }),
    );
    expect(await repositories(user)).toEqual(['a']);
  });
});
