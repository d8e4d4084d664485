import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { needs } from '../../../test/peers/find.ts';
import { start, stop, until } from '../../../test/peers/process.ts';
import { freePort, temporaryDirectory } from '../../../test/peers/temporary.ts';
import { digestOf } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import type { Registry } from '../contract.ts';
import { type RegistryClients, registryClients } from './registry-clients.ts';
import type { Credentials, CredentialsProvider } from './settings.ts';
import { type FaultyServer, type SeenRequest, sendJson, startFaultyServer, status } from './testing/faulty-server.ts';

const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }));
const blob = Buffer.from('a blob');
const PASSWORD = 'p:ä secret';

interface Grant {
  readonly scopes: readonly string[];
  readonly user: string;
  spent: boolean;
}

/** A registry that requires tokens, and its token server. Tokens are opaque, each valid for the requested scopes. */
async function tokenWorld() {
  const grants = new Map<string, Grant>();
  const tokens = await startFaultyServer();
  const registry = await startFaultyServer({ contents: [blob], manifest: { bytes: index, mediaType: OCI_INDEX } });
  const options = { field: 'token', expires: 300, service: 'the registry', status: 200 };
  tokens.inject(async (request, response) => {
    await new Promise((done) => setTimeout(done, 10));
    const form = request.method === 'POST' ? new URLSearchParams(request.body) : query(request);
    const user = userOf(request, form);
    if (user === undefined || form.get('service') !== options.service) return status(401)(request, response);
    const value = randomUUID();
    grants.set(value, { scopes: form.getAll('scope').flatMap((scope) => scope.split(' ')), user, spent: false });
    return sendJson(response, options.status, { [options.field]: value, expires_in: options.expires });
  });
  registry.inject((request, response) => {
    const grant = grants.get(request.headers.authorization?.replace('Bearer ', '') ?? '');
    const wanted = scopeOf(request);
    if (grant && !grant.spent && grant.scopes.some((scope) => covers(scope, wanted))) {
      if (request.method === 'POST') return status(202, { location: '/v2/upload/1' })(request, response);
      return request.method === 'PUT' ? status(201)(request, response) : false;
    }
    const challenge = `Bearer realm="http://${tokens.host}/token",service="${options.service}",scope="${wanted}"`;
    return status(401, { 'www-authenticate': `Negotiate, ${challenge}, Basic realm="x"` })(request, response);
  });
  return {
    tokens,
    registry,
    grants,
    options,
    async [Symbol.asyncDispose]() {
      await tokens[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

function query(request: SeenRequest): URLSearchParams {
  return new URL(request.url, 'http://x').searchParams;
}

function userOf(request: SeenRequest, form: URLSearchParams): string | undefined {
  if (form.get('refresh_token') === 'refresh-me' && form.get('grant_type') === 'refresh_token') return 'refreshed';
  const basic = request.headers.authorization;
  if (basic === undefined) return request.method === 'GET' ? 'nobody' : undefined;
  return basic === `Basic ${Buffer.from(`me:${PASSWORD}`).toString('base64')}` ? 'me' : undefined;
}

function scopeOf(request: SeenRequest): string {
  const name = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(request.url)?.[1];
  if (name === undefined) return 'repository:upload:pull';
  return `repository:${name}:${request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'pull,push'}`;
}

function covers(held: string, wanted: string): boolean {
  if (wanted === 'repository:upload:pull') return true;
  const cut = wanted.lastIndexOf(':');
  const actions = held.slice(held.lastIndexOf(':') + 1).split(',');
  const wants = wanted.slice(cut + 1).split(',');
  return held.startsWith(wanted.slice(0, cut + 1)) && wants.every((action) => actions.includes(action));
}

function knowing(credentials: Credentials | undefined): CredentialsProvider {
  const origin = '/home/me/.docker/config.json';
  return { find: async () => credentials && { ...credentials, origin }, searched: [origin] };
}

async function failure(work: Promise<unknown>): Promise<ImagesError> {
  const thrown = await work.then(
    () => undefined,
    (error) => error,
  );
  expect(thrown).toBeInstanceOf(ImagesError);
  return thrown;
}

describe('tokens', () => {
  let world: Awaited<ReturnType<typeof tokenWorld>>;
  let clients: RegistryClients;
  beforeEach(async () => {
    world = await tokenWorld();
  });
  afterEach(async () => {
    await clients[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  function registryFor(credentials?: Credentials): Registry {
    clients = registryClients({
      temporaryDirectory: tmpdir(),
      backoff: { attempts: 2, base: 1, longest: 10 },
      ...(credentials && { credentials: knowing(credentials) }),
    });
    return clients.forHost(world.registry.host);
  }

  it('are fetched once for each repository, however many calls wait for them', async () => {
    const registry = registryFor();
    await Promise.all(Array.from({ length: 10 }, () => registry.getManifest('app', 'latest')));
    expect(world.tokens.requests).toHaveLength(1);
    await registry.getManifest('app', 'latest');
    await registry.statBlob('app', digestOf(blob));
    expect(world.tokens.requests).toHaveLength(1);
    await registry.getManifest('other', 'latest');
    expect(world.tokens.requests).toHaveLength(2);
    // The challenge of the first 401 is used for the next repository without another 401.
    expect(world.registry.requests.filter((request) => !request.headers.authorization)).toHaveLength(8);
  });

  it('are asked for with the password, which goes nowhere else', async () => {
    const registry = registryFor({ type: 'password', username: 'me', password: PASSWORD });
    await registry.getManifest('app', 'latest');
    expect([...world.grants.values()].map((grant) => grant.user)).toEqual(['me']);
    expect(world.tokens.requests.map((request) => query(request).get('account'))).toEqual(['me']);
    expect(world.registry.requests.every((request) => !request.headers.authorization?.startsWith('Basic'))).toBe(true);
  });

  it('are asked for with a refresh token where there is one', async () => {
    world.options.field = 'access_token';
    await registryFor({ type: 'identity-token', token: 'refresh-me' }).getManifest('app', 'latest');
    expect([...world.grants.values()].map((grant) => grant.user)).toEqual(['refreshed']);
    expect(world.tokens.requests.map((request) => request.method)).toEqual(['POST']);
    expect(world.tokens.requests[0]?.url).not.toContain('refresh-me');
  });

  it('are not asked for where one is there already', async () => {
    world.grants.set('mine', { scopes: ['repository:app:pull'], user: 'me', spent: false });
    await registryFor({ type: 'registry-token', token: 'mine' }).getManifest('app', 'latest');
    expect(world.tokens.requests).toEqual([]);
  });

  it('are renewed with more rights for pushing, and then used for pulling too', async () => {
    const registry = registryFor();
    await registry.putBlob('app', { mediaType: '', digest: digestOf(index), size: index.length }, async () => {
      throw new Error('it is there');
    });
    expect([...world.grants.values()].map((grant) => grant.scopes)).toEqual([['repository:app:pull']]);
    await registry.putManifest(
      'app',
      { mediaType: OCI_INDEX, digest: digestOf(index), size: index.length, bytes: index },
      [],
    );
    expect([...world.grants.values()].at(-1)?.scopes).toEqual(['repository:app:pull,push']);
    await registry.getManifest('app', 'latest');
    expect(world.grants.size).toBe(2);
  });

  it('for a mount are valid for both repositories', async () => {
    const registry = registryFor();
    await registry.mountBlob('app', digestOf(blob), 'other');
    const scopes = [...world.grants.values()].at(-1)?.scopes;
    expect(scopes).toEqual(['repository:app:pull,push', 'repository:other:pull']);
  });

  it('that end before their time are renewed', async () => {
    const registry = registryFor();
    await registry.getManifest('app', 'latest');
    for (const grant of world.grants.values()) grant.spent = true;
    await registry.getManifest('app', 'latest');
    expect(world.grants.size).toBe(2);
  });

  it('that have ended are not sent', async () => {
    const registry = registryFor();
    await registry.getManifest('app', 'latest');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + world.options.expires * 1000 });
    onTestFinished(() => void vi.useRealTimers());
    await registry.getManifest('app', 'latest');
    expect(world.registry.requests).toHaveLength(3);
    expect(world.grants.size).toBe(2);
  });

  it('that do not help end in UNAUTHORIZED, with what to do, after one renewal', async () => {
    world.registry.inject(
      status(401, { 'www-authenticate': `Bearer realm="http://${world.tokens.host}/",service="the registry"` }),
    );
    const error = await failure(registryFor(undefined).getManifest('app', 'latest'));
    expect(error.code).toBe('UNAUTHORIZED');
    expect(error.hint).toContain(`images login ${world.registry.host}`);
    expect(world.registry.requests).toHaveLength(3);
  });

  it('that are refused say so without the password', async () => {
    const registry = registryFor({ type: 'password', username: 'me', password: 'wrong-secret' });
    const error = await failure(registry.getManifest('app', 'latest'));
    expect(error.code).toBe('UNAUTHORIZED');
    expect(error.message).toContain('(those of [me] from /home/me/.docker/config.json)');
    const text = `${error.message} ${error.hint} ${error.stack} ${String(error.cause)}`;
    expect(text).not.toMatch(/wrong-secret|d3Jvbmct/);
  });

  it('are not asked for in plain text at another host', async () => {
    world.registry.inject(status(401, { 'www-authenticate': 'Bearer realm="http://tokens.example.com/",service="x"' }));
    const registry = registryFor({ type: 'password', username: 'me', password: PASSWORD });
    const error = await failure(registry.getManifest('app', 'latest'));
    expect(error.code).toBe('UNAUTHORIZED');
    expect(error.message).toContain('tokens.example.com');
  });

  it.each(['::', 'http://:0/', 'http://127.0.0.1:99999/token', '/token', 'http://u:hidden@x y/', ''])(
    'of a realm that is not an address (%j) are not asked for: the error blames the host and repeats no password',
    async (realm) => {
      world.registry.inject(status(401, { 'www-authenticate': `Bearer realm="${realm}",service="x"` }));
      const error = await failure(registryFor().getManifest('app', 'latest'));
      expect(error.code).toBe('BAD_ANSWER');
      expect(error.message).toContain(`${world.registry.host} names no token server`);
      expect(`${error.message} ${error.hint} ${error.stack}`).not.toContain('hidden');
    },
  );

  it('of a realm with a user, a line break and blanks are asked for at that address, without the user', async () => {
    world.registry.inject(
      status(401, { 'www-authenticate': `Bearer realm="http://a:b@${world.tokens.host}/token%0d%0aX: y"` }),
    );
    await failure(registryFor().getManifest('app', 'latest'));
    expect(world.tokens.requests[0]?.url).toMatch(/^\/token%0d%0aX:%20y\?scope=/);
    expect(world.tokens.requests[0]?.headers.authorization).toBeUndefined();
  });

  it.each([201, 202, 203])('are taken with status %d, too', async (given) => {
    world.options.status = given;
    expect((await registryFor().getManifest('app', 'latest')).bytes).toEqual(index);
  });

  it.each([
    [200, 'Token'],
    [200, 'jwt'],
    [206, 'token'],
    [400, 'access_token'],
  ])('in an answer that is not understood (%d, %s) are repeated in no message', async (given, name) => {
    world.tokens.inject((_request, response) => sendJson(response, given, { [name]: 'for-nobody-to-see' }));
    const error = await failure(registryFor().getManifest('app', 'latest'));
    expect(`${error.message} ${error.hint} ${JSON.stringify(error.request)}`).not.toContain('for-nobody');
  });

  it('that would break out of their header are refused', async () => {
    world.tokens.inject((_request, response) => sendJson(response, 200, { token: 'x\r\nhost: evil' }));
    expect((await failure(registryFor().getManifest('app', 'latest'))).code).toBe('BAD_ANSWER');
    world.tokens.inject(status(200, { 'content-type': 'text/html' }, '<html>log in</html>'));
    expect((await failure(registryFor().getManifest('app', 'latest'))).message).toContain('log in');
  });
});

describe('basic authorization', () => {
  let server: FaultyServer;
  beforeEach(async () => {
    server = await startFaultyServer({ manifest: { bytes: index, mediaType: OCI_INDEX } });
    server.inject((request, response) =>
      request.headers.authorization === `Basic ${Buffer.from(`me:${PASSWORD}`).toString('base64')}`
        ? false
        : status(401, { 'www-authenticate': 'Basic realm="r, s"' })(request, response),
    );
  });
  afterEach(() => server[Symbol.asyncDispose]());

  it('is sent after the host asked for it, from then on at once', async () => {
    await using clients = registryClients({
      temporaryDirectory: tmpdir(),
      credentials: knowing({ type: 'password', username: 'me', password: PASSWORD }),
    });
    const registry = clients.forHost(server.host);
    await registry.getManifest('app', 'latest');
    await registry.getManifest('app', 'latest');
    expect(server.requests.map((request) => request.headers.authorization !== undefined)).toEqual([false, true, true]);
  });

  it('that is not accepted is UNAUTHORIZED, at once', async () => {
    await using clients = registryClients({
      temporaryDirectory: tmpdir(),
      credentials: knowing({ type: 'password', username: 'me', password: 'wrong' }),
    });
    const error = await failure(clients.forHost(server.host).getManifest('app', 'latest'));
    expect(error.code).toBe('UNAUTHORIZED');
    expect(server.requests).toHaveLength(2);
  });

  it('that is missing is UNAUTHORIZED', async () => {
    await using clients = registryClients({ temporaryDirectory: tmpdir() });
    expect((await failure(clients.forHost(server.host).getManifest('app', 'latest'))).code).toBe('UNAUTHORIZED');
    expect(server.requests).toHaveLength(1);
  });
});

const peer = needs('docker-registry');
/** The output of `htpasswd -B` for the password `secret`. */
const BCRYPT_OF_SECRET = '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';

describe.skipIf(peer.missing)(`Debian's docker-registry with htpasswd${peer.why}`, () => {
  it('takes pushes and pulls of who knows the password', async () => {
    await using directory = await temporaryDirectory('htpasswd');
    const port = await freePort();
    const host = `127.0.0.1:${port}`;
    await writeFile(join(directory.path, 'htpasswd'), `me:${BCRYPT_OF_SECRET}\n`);
    const config = {
      version: 0.1,
      storage: { filesystem: { rootdirectory: join(directory.path, 'data') } },
      http: { addr: host },
      log: { level: 'error', accesslog: { disabled: true } },
      auth: { htpasswd: { realm: 'test', path: join(directory.path, 'htpasswd') } },
    };
    await writeFile(join(directory.path, 'config.yml'), JSON.stringify(config));
    const child = start('docker-registry', ['serve', join(directory.path, 'config.yml')]);
    child.stdout?.resume();
    child.stderr?.resume();
    try {
      await until(async () => (await fetch(`http://${host}/v2/`)).status === 401);
      await using clients = registryClients({
        temporaryDirectory: tmpdir(),
        credentials: knowing({ type: 'password', username: 'me', password: 'secret' }),
      });
      const registry = clients.forHost(host);
      const descriptor = { mediaType: '', digest: digestOf(blob), size: blob.length };
      await registry.putBlob('app', descriptor, async () =>
        (async function* () {
          yield blob;
        })(),
      );
      expect(await registry.statBlob('app', descriptor.digest)).toMatchObject({ size: blob.length });
      await using strangers = registryClients({ temporaryDirectory: tmpdir() });
      const error = await failure(strangers.forHost(host).getBlob('app', descriptor.digest));
      expect(error.code).toBe('UNAUTHORIZED');
    } finally {
      await stop(child);
    }
  });
});
