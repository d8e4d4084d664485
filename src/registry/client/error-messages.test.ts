import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reportError } from '../../cli/reporter/report-error.ts';
import type { ImagesError } from '../../oci/errors.ts';
import type { Registry } from '../contract.ts';
import { type RegistryClients, registryClients } from './registry-clients.ts';
import type { Credentials } from './settings.ts';
import { failure } from './testing/faulty-registry.ts';
import { type Fault, type FaultyServer, sendJson, startFaultyServer, status } from './testing/faulty-server.ts';

const PASSWORD = 'S3cret Passw0rd/ä';
const PAIR = Buffer.from(`alice:${PASSWORD}`).toString('base64');
const TOKEN = 'token.of-1234567890/abc+def==';

let server: FaultyServer;
let clients: RegistryClients;
beforeEach(async () => {
  server = await startFaultyServer();
});
afterEach(async () => {
  await clients[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function registryFor(credentials?: Credentials): Registry {
  clients = registryClients({
    temporaryDirectory: tmpdir(),
    backoff: { attempts: 1, base: 1, longest: 10 },
    timeouts: { headers: 300, idle: 300 },
    credentials: { find: async () => credentials && { ...credentials, origin: '/home/a/auth.json' }, searched: [] },
  });
  return clients.forHost(server.host);
}

const alice: Credentials = { type: 'password', username: 'alice', password: PASSWORD };

/** Everything that is printed of an error. */
function printed(error: ImagesError): string {
  const { lines, data } = reportError(error, true);
  return [...lines, JSON.stringify(data)].join('\n');
}

/** Requires Basic credentials. The fault applies to requests that have some. */
const behindBasic =
  (fault: Fault): Fault =>
  (request, response) =>
    request.headers.authorization === undefined
      ? status(401, { 'www-authenticate': 'Basic realm="x"' })(request, response)
      : fault(request, response);

describe('an error of a registry', () => {
  it('knows method, address and status of the request, without its query', async () => {
    server.inject(status(500, {}, 'oops'));
    const error = await failure(registryFor().getManifest('app', '1', { host: 'docker.io' }));
    expect(error).toMatchObject({
      method: 'GET',
      url: `http://${server.host}/v2/app/manifests/1`,
      status: 500,
    });
    expect(printed(error)).toContain(`GET http://${server.host}/v2/app/manifests/1 answered 500`);
  });

  it('knows them even if there is no answer, or no usable one', async () => {
    const url = `http://${server.host}/v2/app/manifests/1`;
    const registry = registryFor();
    server.inject(() => true);
    expect(await failure(registry.getManifest('app', '1'))).toMatchObject({ code: 'TIMEOUT', method: 'GET', url });
    server.inject(status(200, { 'content-type': 'text/html' }, '<html>'));
    expect(await failure(registry.getManifest('app', '1'))).toMatchObject({ method: 'GET', url });
    server.inject((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 10 });
      response.write('{', () => response.destroy());
      return true;
    });
    expect(await failure(registry.getManifest('app', '1'))).toMatchObject({ code: 'BROKEN_OFF', method: 'GET', url });
    await server[Symbol.asyncDispose]();
    expect(await failure(registry.getManifest('app', '1'))).toMatchObject({ code: 'UNREACHABLE', method: 'GET', url });
    server = await startFaultyServer();
  });

  it('says which credentials were used, and from where, or that there were none', async () => {
    server.inject(behindBasic(status(401, { 'www-authenticate': 'Basic realm="x"' })));
    const refused = await failure(registryFor(alice).getManifest('app', '1'));
    expect(refused.message).toContain('credentials were not accepted (those of [alice] from /home/a/auth.json)');
    await clients[Symbol.asyncDispose]();
    server.inject(behindBasic(status(403)));
    const denied = await failure(registryFor(alice).getManifest('app', '1'));
    expect(denied.message).toContain('access is denied (to those of [alice] from /home/a/auth.json)');
    await clients[Symbol.asyncDispose]();
    const none = await failure(registryFor().getManifest('app', '1'));
    expect(none.message).toContain('credentials are needed');
  });

  it('does not show a user name that may be a token', async () => {
    server.inject(behindBasic(status(401, { 'www-authenticate': 'Basic realm="x"' })));
    const username = `ghp_${'x1'.repeat(18)}`;
    const error = await failure(registryFor({ ...alice, username, password: 'x-oauth-basic' }).getManifest('app', '1'));
    expect(printed(error)).not.toContain(username);
    expect(error.message).toContain('/home/a/auth.json');
  });
});

describe('a secret that an answer repeats', () => {
  const repeated: readonly (readonly [string, (secret: string) => Fault])[] = [
    ['in an error', (secret) => (_request, response) => sendJson(response, 401, { errors: [{ message: secret }] })],
    ['in a detail', (secret) => (_request, response) => sendJson(response, 400, { errors: [{ detail: { secret } }] })],
    ['as text', (secret) => status(500, { 'content-type': 'text/plain' }, `you sent ${secret}`)],
    ['on a web page', (secret) => status(200, { 'content-type': 'text/html' }, `<h1>${secret}</h1>`)],
    ['as a title', (secret) => status(403, { 'content-type': 'text/html' }, `<title>${secret}</title>`)],
    ['as a type', (secret) => status(200, { 'content-type': `text/${encodeURIComponent(secret)}` }, 'x')],
    ['as a location', (secret) => status(302, { location: `ftp://${encodeURIComponent(secret)}` })],
    ['as a user', (secret) => status(302, { location: `http://a:${encodeURIComponent(secret)}@x:99999/` })],
    [
      'as a path',
      (secret) => (request, response) =>
        status(request.url.startsWith('/v2/') ? 302 : 404, { location: `/x/${encodeURIComponent(secret)}` })(
          request,
          response,
        ),
    ],
    [
      'as a token server’s path',
      (secret) => (request, response) =>
        status(request.url.startsWith('/v2/') ? 401 : 404, {
          'www-authenticate': `Bearer realm="http://${server.host}/${encodeURIComponent(secret)}"`,
        })(request, response),
    ],
    ['as a realm', (secret) => status(401, { 'www-authenticate': `Bearer realm="${encodeURIComponent(secret)}"` })],
  ];

  it.each(repeated)('%s is not printed', async (_where, repeat) => {
    for (const secret of [PASSWORD, PAIR, `Basic ${PAIR}`]) {
      server.inject(behindBasic(repeat(secret)));
      const text = printed(await failure(registryFor(alice).getManifest('app', '1')));
      expect(text).toContain(server.host);
      expect(text).not.toMatch(/S3cret|Passw0rd|YWxpY2/);
      await clients[Symbol.asyncDispose]();
    }
  });

  it.each(repeated)('%s is not printed if it is a token', async (_where, repeat) => {
    server.inject((request, response) => {
      if (request.url.startsWith('/token')) return sendJson(response, 200, { token: TOKEN });
      return request.headers.authorization === undefined
        ? status(401, { 'www-authenticate': `Bearer realm="http://${server.host}/token"` })(request, response)
        : repeat(TOKEN)(request, response);
    });
    const text = printed(
      await failure(registryFor({ type: 'identity-token', token: 'refresh-1234567' }).getManifest('app', '1')),
    );
    expect(text).not.toMatch(/1234567/);
  });

  it('by a token server is not printed', async () => {
    server.inject((request, response) =>
      request.url.startsWith('/token')
        ? sendJson(response, 400, { details: `bad: ${request.headers.authorization} ${request.body}` })
        : status(401, { 'www-authenticate': `Bearer realm="http://${server.host}/token"` })(request, response),
    );
    const used = await failure(registryFor(alice).getManifest('app', '1'));
    expect(printed(used)).not.toMatch(/YWxpY2/);
    expect(used.message).toContain('bad: Basic ***');
    await clients[Symbol.asyncDispose]();
    const refreshed = await failure(
      registryFor({ type: 'identity-token', token: 'refresh/me 1234' }).getManifest('app', '1'),
    );
    expect(printed(refreshed)).not.toMatch(/me.?1234/);
  });
});
